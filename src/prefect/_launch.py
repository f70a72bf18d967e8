"""The `prefect` command. Answers `--version` by itself, so that it costs no more than starting Python."""

import sys

from prefect._version import __version__


def main() -> int:
    """Run the command line of this process and return its exit code."""
    arguments = sys.argv[1:]
    if arguments[:1] in (["--version"], ["-v"]):
        print(__version__)
        return 0
    try:
        # Imported here: the line above must not wait for the rest of the command line.
        from prefect.cli.root import run  # noqa: PLC0415
    except KeyboardInterrupt:
        print("Aborted.")
        return 1
    return run(arguments)
