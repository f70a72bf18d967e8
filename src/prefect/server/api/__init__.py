"""The HTTP skin over the route table: parse, dispatch, answer. Nothing is decided here."""
