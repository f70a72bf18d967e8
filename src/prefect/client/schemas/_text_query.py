"""Reads the little language of text searches, and matches texts against it.

Words are alternatives; `+word` has to occur, `-word` and `!word` must not; `"several words"` belong together, and a
backslash takes a quote literally, and inside quotes a backslash. Case makes no difference.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class TextQuery:
    """What a text search asks for; all terms are in lower case."""

    any_of: tuple[str, ...] = ()
    required: tuple[str, ...] = ()
    excluded: tuple[str, ...] = ()

    def matches(self, text: str) -> bool:
        """Whether a text is what the search asks for. A search without terms matches every text."""
        text = text.lower()
        if any(term in text for term in self.excluded):
            return False
        if not all(term in text for term in self.required):
            return False
        return not self.any_of or any(term in text for term in self.any_of)


def parse_text_query(query: str) -> TextQuery:
    """Read a text search. Every text is a valid one; a quote that is not closed reaches to the end."""
    terms: dict[str, list[str]] = {"": [], "+": [], "-": []}
    position = 0
    while position < len(query):
        if query[position].isspace():
            position += 1
            continue
        sign = ""
        if query[position] in "+-!":
            sign = query[position].replace("!", "-")
            position += 1
        term, position = _read_term(query, position)
        if term:
            terms[sign].append(term.lower())
    return TextQuery(tuple(terms[""]), tuple(terms["+"]), tuple(terms["-"]))


def _read_term(query: str, position: int) -> tuple[str, int]:
    """Read one word, or one phrase in quotes; return it and the position after it."""
    quoted = query[position : position + 1] == '"'
    if quoted:
        position += 1
    characters: list[str] = []
    while position < len(query):
        character = query[position]
        following = query[position + 1 : position + 2]
        if character == "\\" and (following == '"' or (quoted and following == "\\")):
            characters.append(following)
            position += 2
            continue
        if quoted and character == '"':
            return "".join(characters), position + 1
        if not quoted and (character.isspace() or character == '"'):
            break
        characters.append(character)
        position += 1
    return "".join(characters), position
