"""Writes `profiles.toml`: whole or not at all, for the user's eyes only, and with the comments that were in it."""

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from prefect.settings._files import forget, read_toml


def write(path: Path, content: Mapping[str, Any]) -> None:
    """Bring the file to the given content.

    Args:
        path: The profiles file. It and its folder are created if need be.
        content: `active` and `profiles`, as in the file.

    Raises:
        SettingsError: The present file is not valid TOML. It is left as it is.
    """
    target = path.resolve()  # a linked file stays a link
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    text = _merge(target, content)
    handle, temporary = tempfile.mkstemp(prefix=".profiles-", suffix=".toml", dir=target.parent)  # mode 0600
    try:
        with open(handle, "w", encoding="utf-8") as file:  # noqa: PTH123 - a handle, not a path
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(target)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    forget(path)
    forget(target)


def _merge(path: Path, content: Mapping[str, Any]) -> str:
    # Imported here because only commands that change profiles need it.
    import tomlkit  # noqa: PLC0415

    read_toml(path)  # raises if the file is broken: what its owner wrote there must not be lost
    document = tomlkit.parse(path.read_text(encoding="utf-8")) if path.exists() else tomlkit.document()
    if content["active"] is None:
        document.pop("active", None)
    elif document.get("active") != content["active"]:
        _set_active(document, content["active"])
    if "profiles" not in document:
        document["profiles"] = tomlkit.table(is_super_table=True)
    profiles: Any = document["profiles"]
    for name in [name for name in profiles if name not in content["profiles"]]:
        del profiles[name]
    for name, values in content["profiles"].items():
        if name not in profiles:
            profiles[name] = tomlkit.table()
        _update(profiles[name], values)
    return tomlkit.dumps(document)


def _set_active(document: Any, name: str) -> None:
    if "active" in document:
        document["active"] = name
        return
    # A key after a table would belong to the table, so it goes to the top.
    rest = dict(document)
    for key in rest:
        del document[key]
    document["active"] = name
    for key, value in rest.items():
        document[key] = value


def _update(table: Any, values: Mapping[str, str]) -> None:
    for key in [key for key in table if key not in values]:
        del table[key]
    for key, value in values.items():
        if table.get(key) != value:
            table[key] = value
