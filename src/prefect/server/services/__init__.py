"""What the server does by itself, again and again: each service is one file with `run_once(tx, now)`."""
