"""What `prefect doctor` looks at, and what it can find."""
