"""Turns any text into a name of plain letters, digits and dashes."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from html.entities import name2codepoint
from typing import Literal

from prefect.utilities._transliteration import Backend, transliterate

__all__ = ["slugify"]

_SEPARATOR = "-"
_QUOTES = re.compile(r"'+")
_ENTITY = re.compile(rf"&({'|'.join(name2codepoint)});")
_DECIMAL = re.compile(r"&#(\d+);")
_HEXADECIMAL = re.compile(r"&#x([\da-fA-F]+);")
_DIGIT_COMMAS = re.compile(r"(?<=\d),(?=\d)")
_NOT_ALLOWED_OF_LOWER = re.compile(r"[^-a-z0-9]+")
_NOT_ALLOWED = re.compile(r"[^-a-zA-Z0-9]+")
_NOT_ALLOWED_OF_UNICODE = re.compile(r"[\W_]+")
_SEPARATORS = re.compile(r"-{2,}")


def slugify(
    text: str | bytes | bytearray,
    entities: bool = True,
    decimal: bool = True,
    hexadecimal: bool = True,
    max_length: int = 0,
    word_boundary: bool = False,
    separator: str = _SEPARATOR,
    save_order: bool = False,
    stopwords: Iterable[str] = (),
    regex_pattern: re.Pattern[str] | str | None = None,
    lowercase: bool = True,
    replacements: Iterable[Iterable[str]] = (),
    allow_unicode: bool = False,
    *,
    replacement_stage: Literal["both", "pre", "post"] = "both",
    backend: Backend = "auto",
    algorithm: Literal["legacy", "modern"] = "legacy",
) -> str:
    """Return a text as words of plain lower-case letters and digits, joined by dashes.

    Args:
        entities: Read HTML entities such as `&lt;`.
        decimal: Read entities such as `&#381;`.
        hexadecimal: Read entities such as `&#x17D;`.
        max_length: The largest number of characters to return; 0 means any.
        word_boundary: Leave out whole words to get there.
        separator: What joins words.
        save_order: Leave out every word behind the first that does not fit, also those that would.
        stopwords: Words to leave out.
        regex_pattern: What to turn into separators, in place of all but letters, digits and dashes.
        lowercase: Return lower-case letters only.
        replacements: Pairs of a text and what to replace it by.
        allow_unicode: Keep letters of all scripts.
        replacement_stage: Whether to replace before the text is changed, behind, or both.
        backend: What writes other scripts in ASCII letters.
        algorithm: Accepted for compatibility; both give the same.

    Raises:
        TypeError: The text is none.
    """
    if isinstance(text, (bytes, bytearray)):
        text = text.decode("utf-8", "ignore")
    if not isinstance(text, str):
        raise TypeError(f"text must be str, bytes or bytearray, not {type(text).__name__}")
    replacements = [tuple(pair) for pair in replacements]
    stopwords = list(stopwords)
    if replacement_stage != "post":
        text = _replace(text, replacements)

    text = _to_letters(_QUOTES.sub(_SEPARATOR, text), allow_unicode, backend)
    text = _read_entities(text, entities, decimal, hexadecimal)
    text = unicodedata.normalize("NFKC" if allow_unicode else "NFKD", text)
    if not allow_unicode:
        text = text.encode("ascii", "ignore").decode()
    if lowercase:
        text = text.lower()

    text = _DIGIT_COMMAS.sub("", _QUOTES.sub("", text))
    text = re.sub(regex_pattern or _not_allowed(allow_unicode, lowercase), _SEPARATOR, text)
    text = _SEPARATORS.sub(_SEPARATOR, text).strip(_SEPARATOR)
    if stopwords:
        text = _leave_out(text, stopwords, lowercase)
    if replacement_stage != "pre":
        text = _replace(text, replacements)
    if max_length > 0:
        text = _shorten(text, max_length, word_boundary, save_order)
    return text if separator == _SEPARATOR else text.replace(_SEPARATOR, separator)


def _replace(text: str, replacements: Iterable[Iterable[str]]) -> str:
    for old, new in replacements:
        text = text.replace(old, new)
    return text


def _to_letters(text: str, allow_unicode: bool, backend: Backend) -> str:
    return unicodedata.normalize("NFKC", text) if allow_unicode else transliterate(text, backend)


def _read_entities(text: str, entities: bool, decimal: bool, hexadecimal: bool) -> str:
    if entities:
        text = _ENTITY.sub(lambda match: chr(name2codepoint[match[1]]), text)
    if decimal:
        text = _DECIMAL.sub(lambda match: _character(match, 10), text)
    if hexadecimal:
        text = _HEXADECIMAL.sub(lambda match: _character(match, 16), text)
    return text


def _character(match: re.Match[str], base: int) -> str:
    try:
        return chr(int(match[1], base))
    except (ValueError, OverflowError):
        return match[0]


def _not_allowed(allow_unicode: bool, lowercase: bool) -> re.Pattern[str]:
    if allow_unicode:
        return _NOT_ALLOWED_OF_UNICODE
    return _NOT_ALLOWED_OF_LOWER if lowercase else _NOT_ALLOWED


def _leave_out(text: str, stopwords: list[str], lowercase: bool) -> str:
    unwanted = {word.lower() for word in stopwords} if lowercase else set(stopwords)
    return _SEPARATOR.join(word for word in text.split(_SEPARATOR) if word not in unwanted)


def _shorten(text: str, max_length: int, word_boundary: bool, save_order: bool) -> str:
    if len(text) <= max_length:
        return text
    if not word_boundary:
        return text[:max_length].strip(_SEPARATOR)
    kept = ""
    for word in filter(None, text.split(_SEPARATOR)):
        longer = f"{kept}{_SEPARATOR}{word}" if kept else word
        if len(longer) <= max_length:
            kept = longer
        elif save_order:
            break
    return kept or text[:max_length].strip(_SEPARATOR)
