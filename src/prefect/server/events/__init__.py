"""Events on the server: what waits for them, and what is done then."""
