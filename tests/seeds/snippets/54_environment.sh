PREFECT_API_URL=http://localhost:4200/api  # Prefect server URL
PREFECT_LOGGING_LEVEL=INFO                  # Log level (DEBUG|INFO|WARNING|ERROR)
PREFECT_LOGGING_COLORS=true                 # Colored logs
PREFECT_HOME=~/.prefect                     # Configuration directory
