"""The composer of conditions, and patterns for both databases."""

from __future__ import annotations

import re
import sqlite3
from fnmatch import fnmatchcase

import pytest

from prefect.server.database.dialect import PostgresDialect, SQLiteDialect
from prefect.server.database.filters.clauses import FALSE, TRUE, Clause, all_of, any_of, is_in, is_not_in
from prefect.server.database.filters.patterns import matches_glob, starts_with

A, B = Clause("a = ?", (1,)), Clause("b = ?", (2,))


def test_clauses_are_joined_with_their_values_in_order():
    assert all_of(A, None, B) == Clause("(a = ?) AND (b = ?)", (1, 2))
    assert any_of(B, A) == Clause("(b = ?) OR (a = ?)", (2, 1))
    assert all_of(A) == any_of(A) == A


def test_nothing_to_join_is_true():
    assert all_of() == any_of(None) == TRUE
    assert all_of(A, TRUE) == A
    assert any_of(A, TRUE) == TRUE


def test_a_list_may_be_left_out_or_be_empty():
    assert is_in("a", None) is None
    assert is_in("a", []) == FALSE
    assert is_not_in("a", []) is None
    assert is_in("a", [1, 2]) == Clause("a IN (?, ?)", (1, 2))


PATTERNS = [
    "red",
    "*",
    "r*d",
    "?ed",
    "[rb]ed",
    "[!r]ed",
    "a.b",
    "a[*]b",
    "a[[]b",
    "[]]",
    "x^y",
    "a[^r]b",
    "a[^]b",
    "[a",
    "*.{1}$|",
]
TEXTS = ["red", "[a", "Red", "bed", "rd", "a.b", "axb", "a*b", "a[b", "]", "x^y", "a^b", "", "q.{1}$|", "line\nbreak"]


@pytest.mark.parametrize("pattern", PATTERNS)
def test_patterns_match_in_both_databases_what_python_matches(pattern):
    connection = sqlite3.connect(":memory:")
    sqlite, postgres = (matches_glob(dialect, "x", pattern) for dialect in (SQLiteDialect(), PostgresDialect()))
    for text in TEXTS:
        expected = fnmatchcase(text, pattern)
        found = connection.execute(f"SELECT {sqlite.sql} FROM (SELECT ? AS x)", (*sqlite.params, text)).fetchone()[0]
        assert bool(found) is expected, text
        if " ~ " in postgres.sql:  # POSIX and Python read these expressions alike
            assert bool(re.fullmatch(postgres.params[0], text, flags=re.DOTALL)) is expected, text
    connection.close()


@pytest.mark.parametrize("prefix", ["a", "a*", "a?", "a[", "A"])
def test_prefixes_are_taken_literally(prefix):
    connection = sqlite3.connect(":memory:")
    clause = starts_with(SQLiteDialect(), "x", prefix)
    for text in ["abc", "a*c", "a?c", "a[c", "Abc", ""]:
        found = connection.execute(f"SELECT {clause.sql} FROM (SELECT ? AS x)", (*clause.params, text)).fetchone()[0]
        assert bool(found) is text.startswith(prefix), text
    connection.close()
