"""What a check has found."""

from typing import Literal, NamedTuple


class Finding(NamedTuple):
    """One thing that is wrong: what, why that matters, and what to do about it."""

    check: str
    """A stable name, in kebab-case, for programs."""
    level: Literal["error", "warning"]
    """An error keeps something from working; a warning may."""
    what: str
    why: str
    do: str
