"""How the command line talks to people."""

from pydantic import Field

from prefect.settings.base import PrefectBaseSettings, build_settings_config


class CLISettings(PrefectBaseSettings):
    """How the `prefect` command prints and asks."""

    model_config = build_settings_config(("cli",))

    colors: bool = Field(default=True, description="Print in colour where the terminal can.")
    prompt: bool | None = Field(
        default=None, description="Ask questions. Unset means: only if the output is a terminal."
    )
    wrap_lines: bool = Field(default=True, description="Wrap long lines at the width of the terminal.")
