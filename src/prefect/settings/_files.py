"""Reads the files that hold settings: TOML and `.env`, each parsed once until it changes on disk."""

import os
import re
import stat
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

_parsed: dict[str, tuple[tuple[int, int, int], Any]] = {}


class SettingsError(ValueError):
    """A file that holds settings cannot be used."""


def read_toml(path: Path) -> Mapping[str, Any]:
    """The content of a TOML file; empty if there is no such file. Treat it as read-only: it is shared.

    Raises:
        SettingsError: The file is there, but cannot be read or is not valid TOML.
    """
    return _read(path, _parse_toml)


def read_dotenv(path: Path) -> Mapping[str, str]:
    """The variables of a `.env` file, names in upper case; empty if there is no such file.

    Raises:
        SettingsError: The file is there, but cannot be read.
    """
    return _read(path, _parse_dotenv)


def forget(path: Path) -> None:
    """Drop what is remembered of a file, after writing to it."""
    _parsed.pop(os.path.abspath(path), None)  # noqa: PTH100 - must not follow links, as in _read


def _read(path: Path, parse: Callable[[str], Any]) -> Mapping[str, Any]:
    key = os.path.abspath(path)  # noqa: PTH100 - Path.resolve would touch the disk once per folder
    try:
        status = os.stat(key)  # noqa: PTH116 - as above
        if not stat.S_ISREG(status.st_mode):
            return {}  # `.env` is often the folder of a virtual environment
        signature = (status.st_mtime_ns, status.st_size, status.st_ino)
        known = _parsed.get(key)
        if known is None or known[0] != signature:
            known = _parsed[key] = (signature, parse(Path(key).read_text(encoding="utf-8")))
    except FileNotFoundError:
        return {}
    except NotADirectoryError:
        return {}
    except (OSError, ValueError) as error:
        raise SettingsError(f"Cannot read settings from {str(path)!r}: {error}. Correct or remove the file.") from error
    return known[1]


def _parse_toml(text: str) -> dict[str, Any]:
    # Imported here because most runs find no TOML file beside the packaged one.
    try:
        import tomllib  # noqa: PLC0415
    except ModuleNotFoundError:  # Python 3.10
        import tomli as tomllib  # type: ignore[no-redef]  # noqa: PLC0415  # pyright: ignore[reportMissingImports]
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"invalid TOML ({error})") from error


_ASSIGNMENT = re.compile(
    r"""^\s*(?:export\s+)?(?P<name>[^\s=\#'"]+)\s*=[^\S\n]*
    (?:'(?P<single>[^']*)'|"(?P<double>(?:[^"\\]|\\.)*)"|(?P<bare>[^\n]*))""",
    re.MULTILINE | re.VERBOSE | re.DOTALL,
)
_REFERENCE = re.compile(r"\$\{(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?::-(?P<default>[^}]*))?\}")
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "\\": "\\", '"': '"', "'": "'"}


def _parse_dotenv(text: str) -> dict[str, str]:
    values: dict[str, str] = {}
    for match in _ASSIGNMENT.finditer(text):
        if match["single"] is not None:
            value = match["single"]
        elif match["double"] is not None:
            value = re.sub(r"\\(.)", lambda escape: _ESCAPES.get(escape[1], escape[0]), match["double"])
        else:
            value = re.sub(r"(^|\s)#.*$", "", match["bare"]).strip()
        if match["single"] is None:
            value = _REFERENCE.sub(lambda reference: _resolve(reference, values), value)
        values[match["name"].upper()] = value
    return values


def _resolve(reference: re.Match[str], values: Mapping[str, str]) -> str:
    """The value that `${NAME}` stands for. An unknown name without default stays as it is: it may be a placeholder."""
    name = reference["name"]
    if name in os.environ:
        return os.environ[name]
    return values.get(name.upper(), reference["default"] if reference["default"] is not None else reference[0])
