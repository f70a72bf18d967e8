"""Runs the command line as `python -m prefect`."""

import sys

from prefect._launch import main

if __name__ == "__main__":
    sys.exit(main())
