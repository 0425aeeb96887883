"""Concepts remember much, but not without end."""

from __future__ import annotations

import pytest

from inspect_cli.concepts.memory import Recent, connection_of


def test_the_oldest_is_forgotten_first() -> None:
    recent: Recent[str, int] = Recent(2)
    recent["a"], recent["b"] = 1, 2
    recent["a"] = 3
    recent["c"] = 4

    assert {"b": 2, "c": 4} == recent


def test_a_thing_is_new_once() -> None:
    recent: Recent[str, int] = Recent()

    assert [True, False, 1] == [recent.first_time("a", 1), recent.first_time("a", 2), recent["a"]]


@pytest.mark.parametrize(
    ("channel", "expected"), [("tcp/3", "tcp/3"), ("tcp/3/tls", "tcp/3"), ("tcp/3/tls/h2/5", "tcp/3"), ("", "")]
)
def test_a_channel_belongs_to_a_connection(channel: str, expected: str) -> None:
    assert expected == connection_of(channel)
