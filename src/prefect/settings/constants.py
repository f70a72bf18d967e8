"""Fixed places: the default home folder and the packaged profiles."""

from pathlib import Path

DEFAULT_PREFECT_HOME = Path("~/.prefect")
"""Where settings, the embedded database and results live unless PREFECT_HOME says otherwise; `~` is expanded on use."""

DEFAULT_PROFILES_PATH = Path(__file__).parent / "profiles.toml"
"""The profiles that every installation starts with."""
