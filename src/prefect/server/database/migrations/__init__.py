"""The schema's history as numbered SQL files, and the small machine that applies them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

_NAME = re.compile(r"^(\d{4})_(\w+)\.sql$")


@dataclass(frozen=True, slots=True)
class Migration:
    """One step of the schema's history."""

    version: int
    name: str
    path: Path

    def sql(self) -> str:
        """The step's text, in PostgreSQL's types (see `Dialect.translate`)."""
        return self.path.read_text(encoding="utf-8")


@lru_cache(maxsize=1)
def all_migrations() -> tuple[Migration, ...]:
    """Every step, oldest first; versions count from 1 without gaps."""
    found = []
    for path in Path(__file__).parent.glob("*.sql"):
        match = _NAME.match(path.name)
        if match is None:
            raise ValueError(f"A migration is called {path.name!r}; expected NNNN_short_name.sql")
        found.append(Migration(int(match[1]), match[2], path))
    found.sort(key=lambda migration: migration.version)
    if [migration.version for migration in found] != list(range(1, len(found) + 1)):
        raise ValueError(f"Migration versions have gaps or doubles: {[m.version for m in found]}")
    return tuple(found)


def split_statements(script: str) -> list[str]:
    """Split a migration into statements. Migrations hold no semicolon inside a literal or a body."""
    lines = [line for line in script.splitlines() if not line.lstrip().startswith("--")]
    return [statement.strip() for statement in "\n".join(lines).split(";") if statement.strip()]
