"""Writes text of any script in ASCII letters, as well as can be told."""

from __future__ import annotations

import unicodedata
from importlib import import_module
from typing import Literal

Backend = Literal["auto", "text-unidecode", "unidecode", "anyascii"]

_BACKENDS = {
    "text-unidecode": ("text_unidecode", "unidecode"),
    "unidecode": ("unidecode", "unidecode"),
    "anyascii": ("anyascii", "anyascii"),
}

# Letters that do not decompose into an ASCII letter and accents, lower case only.
_LETTERS = {
    **{"ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "đ": "d", "ð": "d", "þ": "th", "ł": "l", "ı": "i", "ŋ": "ng"},
    **dict(
        zip(
            "абвгдеёжзийклмнопрстуфхцчшщъыьэюя",
            "a b v g d e e zh z i i k l m n o p r s t u f kh ts ch sh shch - y - e iu ia".split(),
            strict=True,
        )
    ),
    **{"ъ": "", "ь": "", "і": "i", "ї": "i", "є": "ie", "ґ": "g", "ў": "u"},
    **dict(
        zip("αβγδεζηθικλμνξοπρσςτυφχψω", "a b g d e z e th i k l m n x o p r s s t u ph kh ps o".split(), strict=True)
    ),
    **{"‘": "'", "’": "'", "“": '"', "”": '"', "–": "-", "—": "-", "…": "..."},
}


def transliterate(text: str, backend: Backend = "auto") -> str:
    """Return text in ASCII.

    Args:
        backend: The package to use, which has to be installed. "auto" takes the first that is, else a built-in table of
            the Latin, Greek and Cyrillic scripts; of others nothing is left then.

    Raises:
        ModuleNotFoundError: The package is not installed.
        ValueError: There is no such backend.
    """
    if text.isascii():
        return text
    if backend != "auto":
        if backend not in _BACKENDS:
            raise ValueError(f"`backend` must be 'auto', {', '.join(map(repr, _BACKENDS))}, not {backend!r}.")
        return _with(backend, text)
    for name in _BACKENDS:
        try:
            return _with(name, text)
        except ModuleNotFoundError:
            continue
    return "".join(map(_ascii, text))


def _with(backend: str, text: str) -> str:
    module, function = _BACKENDS[backend]
    return getattr(import_module(module), function)(text)


def _ascii(letter: str) -> str:
    if letter.isascii():
        return letter
    base = "".join(part for part in unicodedata.normalize("NFKD", letter) if not unicodedata.combining(part))
    written = "".join(part if part.isascii() else _LETTERS.get(part.lower(), "") for part in base)
    return written.capitalize() if letter.isupper() and written.isascii() and not base.isascii() else written
