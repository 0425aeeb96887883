"""Command lines that speak curl: where they are split, and what order their values keep."""

from __future__ import annotations

from typing import Any

import click
import pytest
from hypothesis import given as examples
from hypothesis import settings
from hypothesis import strategies as st

from inspect_cli.cli import cli
from inspect_cli.cli.command import split
from inspect_cli.errors import NotSupported, UsageProblem


def command(name: str = "cookie-trace") -> click.Command:
    found = cli.get_command(click.Context(cli), name)
    assert found is not None
    return found


def parsed(*arguments: str) -> dict[str, Any]:
    return command().make_context("cookie-trace", list(arguments)).params


def parts(*arguments: str) -> list[list[str]]:
    return split(command(), click.Context(command()), list(arguments))


def test_each_then_begins_a_part() -> None:
    got = parts("http://a", "-d", "x", "--then", "http://b", "--then", "http://c", "-I")

    assert got == [["http://a", "-d", "x"], ["http://b"], ["http://c", "-I"]]


def test_then_is_a_value_where_an_option_asks_for_one() -> None:
    got = parts("-H", "--then", "-d--then", "-Id", "--then", "--data=--then", "--then", "http://b")

    assert got == [["-H", "--then", "-d--then", "-Id", "--then", "--data=--then"], ["http://b"]]


def test_then_takes_its_url_behind_an_equals_sign_too() -> None:
    assert parts("http://a", "--then=/b", "-I") == [["http://a"], ["/b", "-I"]]


def test_two_dashes_end_the_options() -> None:
    assert parts("http://a", "--", "--then") == [["http://a", "--", "--then"]]


@settings(max_examples=60, deadline=None)
@examples(st.lists(st.sampled_from(["--then", "-H", "-I", "-d", "x", "-Id", "--data=1", "-dx", "--", "-", "--form"])))
def test_no_word_is_lost_at_the_splits(words: list[str]) -> None:
    got = parts(*words)

    assert sum(map(len, got)) + len(got) - 1 == len(words)


def test_each_part_has_its_own_request_options() -> None:
    got = parsed("http://a", "-X", "PUT", "-H", "A: 1", "--then", "http://b", "-L", "--cross-site")["parts"]

    shown = [(p["url"], p["request"], p["header"], p["location"], p["site"]) for p in got]
    assert shown == [("http://a", "PUT", ("A: 1",), False, None), ("http://b", None, (), True, False)]


def test_options_of_the_run_hold_for_all_parts_wherever_they_stand() -> None:
    got = parsed("http://a", "--resolve", "a:1:b", "--then", "http://b", "-k", "--resolve", "c:2:d", "--lang", "ko")

    assert (got["insecure"], got["resolve"], got["lang"]) == (True, ("a:1:b", "c:2:d"), "ko")


def test_a_later_part_leaves_what_it_does_not_name_as_it_was() -> None:
    assert parsed("http://a", "--sniff", "never", "--then", "http://b")["sniff"] == "never"


def test_data_options_keep_the_order_of_the_command_line() -> None:
    got = parsed("http://a", "--data-raw", "1", "-d2", "--data-urlencode=3", "--data-raw", "4")["parts"][0]["body"]

    assert got == (("data_raw", "1"), ("data", "2"), ("data_urlencode", "3"), ("data_raw", "4"))


def test_then_needs_a_url() -> None:
    with pytest.raises(UsageProblem) as caught:
        parsed("http://a", "--then", "-I")

    assert caught.value.data == {"problem": "then-without-url"}


@pytest.mark.parametrize("option", ["--http2", "--http3", "-Z", "--no-keepalive", "-T", "--json", "-n", "--next"])
def test_options_of_curl_that_are_not_spoken_are_refused_by_name(option: str) -> None:
    with pytest.raises(NotSupported) as caught:
        parsed(option, "x", "http://a")

    assert caught.value.data == {"what": option}


def test_an_option_that_only_the_other_command_speaks_is_refused_by_name() -> None:
    with pytest.raises(NotSupported) as caught:
        command("ws-handshake").make_context("ws-handshake", ["ws://a", "-L"])

    assert caught.value.data == {"what": "-L"}


def test_an_option_that_nobody_knows_is_a_usage_error() -> None:
    with pytest.raises(click.NoSuchOption):
        parsed("--nonsense", "http://a")
