"""Names that published integration packages import; nothing else uses this package."""
