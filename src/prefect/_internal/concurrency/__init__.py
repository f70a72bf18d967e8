"""Names that published integration packages import."""
