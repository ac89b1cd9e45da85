"""What is shown of a program that failed."""

from __future__ import annotations

import pytest

from podnet.errors import last_words

REFUSED = "The connection to the server 10.0.0.1:6443 was refused"
LOGGED = 'E1125 17:00:00.123456 4321 memcache.go:265] "Unhandled Error" err="could not get the list of API groups"'


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "it said nothing (exit code 2)"),
        ("\n \n", "it said nothing (exit code 2)"),
        ("one\n", "one"),
        (
            "/usr/bin/python3: can't open file '/podnet/agent.py'\ncommand terminated with exit code 2\n",
            "/usr/bin/python3: can't open file '/podnet/agent.py'; command terminated with exit code 2",
        ),
        ("a\nb\n\n  c  d\ne\n", "b; c d; e"),
        (f"{LOGGED}\n{LOGGED}\n{REFUSED}\n", REFUSED),
        (f"{LOGGED}\n", LOGGED),
        ("x" * 1000, "x" * 300 + " ..."),
    ],
)
def test_the_last_words_of_a_program(text: str, words: str) -> None:
    assert last_words(text, 2) == words
