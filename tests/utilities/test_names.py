"""Made-up names and hidden secrets."""

import random
import subprocess
import sys

import pytest
from pydantic import SecretStr

from prefect.utilities.names import IGNORE_LIST, generate_slug, obfuscate, obfuscate_string


@pytest.mark.parametrize("words", [1, 2, 3, 4])
def test_a_name_has_as_many_words_as_asked_for(words):
    name = generate_slug(words)
    assert len(name.split("-")) == words
    assert name == name.lower()


def test_names_differ():
    assert len({generate_slug(3) for _ in range(100)}) > 90


def test_names_hold_no_rude_words():
    words = {word for _ in range(2000) for word in generate_slug(4).split("-")}
    assert not words & IGNORE_LIST


def test_a_seed_of_the_users_changes_nothing_and_is_not_changed():
    random.seed(1)
    first, number = generate_slug(4), random.random()
    random.seed(1)
    assert generate_slug(4) != first
    assert random.random() == number


@pytest.mark.skipif(sys.platform == "win32", reason="needs fork")
def test_a_forked_child_makes_names_of_its_own():
    code = (
        "import os\n"
        "from prefect.utilities.names import generate_slug\n"
        "pid = os.fork()\n"
        "name = '-'.join(generate_slug(4) for _ in range(4))\n"
        "os.write(1, f'{name}\\n'.encode())\n"
        "if pid: os.waitpid(pid, 0)\n"
    )
    lines = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.split()
    assert len(set(lines)) == 2


def test_a_name_has_words():
    with pytest.raises(ValueError, match="n_words=0"):
        generate_slug(0)


@pytest.mark.parametrize("secret", ["", "a", "x" * 5, "x" * 50])
def test_stars_do_not_tell_the_length(secret):
    assert obfuscate_string(secret) == "********"


@pytest.mark.parametrize(
    ("secret", "shown"), [("0123456789", "********"), ("0123456789ab", "******ab"), ("0123456789abcdef", "****cdef")]
)
def test_the_end_is_shown_if_enough_stays_hidden(secret, shown):
    assert obfuscate_string(secret, show_tail=True) == shown


def test_anything_can_be_hidden():
    assert obfuscate(None) == obfuscate({"a": 1}) == "********"
    assert obfuscate(12345678901234567890, show_tail=True) == "****7890"
    assert obfuscate(SecretStr("x" * 30), show_tail=True) == "********"
