"""The `prefect` command line: one file for each group of commands, loaded when it is used.

To add a group of commands:

1. Write `prefect/cli/<name>.py` with a click group, or with a single command, made by `command_group()` or
   `@command()` of `prefect.cli._commands`; their parameters come from `prefect.cli._params`.
2. Add a line for it to the table in `prefect.cli.table`.

Commands print through `prefect.cli._output`. They end with `fail("…")` when something does not work; exit codes, the
stream of messages, and errors of the API are dealt with in `prefect.cli.root`. Tests call `prefect.cli._runner.invoke`.
"""
