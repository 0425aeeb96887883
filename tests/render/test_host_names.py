"""Names that DNS answers or the file give stand beneath the addresses of what comes behind them."""

from __future__ import annotations

import io
from typing import Any

import pytest

from inspect_cli.events.base import Entry, Event, Side, Where
from inspect_cli.events.capture import HostsNamed
from inspect_cli.events.summary import Tally
from inspect_cli.events.tcp import MidStream
from inspect_cli.events.udp import DnsAnswer
from inspect_cli.render import compile_filter, host_names, make_renderer
from inspect_cli.render.host_names import HostName, HostNames
from inspect_cli.render.measure import widest
from tests.reading import tell
from tests.render.conversation import capture


def answer(number: int, name: bytes, *addresses: str) -> Entry:
    where = Where(number, number, "udp/0", Side.SERVER, (number,))
    event = DnsAnswer(where, name, "A", "NOERROR", addresses, (), len(addresses), False, (), None)
    return Entry(number, None, event, ())


def connection(number: int, client: str, server: str) -> Entry:
    where = Where(number, number, f"tcp/{number}", None, (number,))
    return Entry(number, None, MidStream(where, client, server), ())


def named(name: bytes, *addresses: str, frame: int | None = None) -> HostsNamed:
    where = Where(0, 0, "", None, () if frame is None else (frame,))
    return HostsNamed(where, tuple((address, name) for address in addresses))


def lines(*entries: Entry | HostsNamed, **options: Any) -> list[str]:
    out = io.StringIO()
    renderer = make_renderer("text", out, **options)
    renderer.begin(capture())
    for entry in entries:
        tell(renderer, entry)
    return out.getvalue().splitlines()


def heading_of(shown: list[str], channel: str) -> list[str]:
    """The endpoints of a channel, and the line below them."""
    at = next(i for i, line in enumerate(shown) if line.split()[:1] == [channel])
    return shown[at : at + 2]


def test_the_name_stands_beneath_the_address_at_its_side() -> None:
    shown = lines(answer(3, b"shop.example", "192.0.2.7"), connection(5, "10.0.0.1:4000", "192.0.2.7:80"))

    assert heading_of(shown, "tcp/5") == [
        "           tcp/5  10.0.0.1:4000                                     192.0.2.7:80",
        "                                                           shop.example (DNS #3)",
    ]


def test_both_ends_may_have_names_and_ipv6_too() -> None:
    entries = [answer(1, b"me.example", "2001:db8::1"), answer(2, b"you.example", "2001:db8::2")]
    shown = lines(*entries, connection(3, "[2001:db8::1]:4000", "[2001:db8::2]:80"))

    assert heading_of(shown, "tcp/3")[1] == (
        "                  me.example (DNS #1)                       you.example (DNS #2)"
    )


def test_what_was_answered_later_names_nothing_before() -> None:
    shown = lines(connection(1, "10.0.0.1:4000", "192.0.2.7:80"), answer(2, b"shop.example", "192.0.2.7"))

    assert "shop.example (DNS" not in "\n".join(shown)


def test_the_latest_answer_counts() -> None:
    names = HostNames()
    for entry in (answer(1, b"a.example", "192.0.2.7"), answer(4, b"b.example", "192.0.2.7")):
        names.learn(entry)

    assert names.of("192.0.2.7:80") == HostName(b"b.example", 4)


def test_a_name_that_the_file_gives_says_so_until_an_answer_gives_another() -> None:
    first, second = connection(2, "10.0.0.1:4000", "192.0.2.7:80"), connection(4, "10.0.0.1:4001", "192.0.2.7:80")
    shown = lines(named(b"printer", "192.0.2.7"), first, answer(3, b"shop.example", "192.0.2.7"), second)

    assert heading_of(shown, "tcp/2")[1].split("  ")[-1].strip() == "printer (file)"
    assert heading_of(shown, "tcp/4")[1].split("  ")[-1].strip() == "shop.example (DNS #3)"
    assert "printer" not in "\n".join(lines(named(b"printer", "192.0.2.7"), first, names=False))


def test_an_answer_that_is_no_row_names_its_host_all_the_same() -> None:
    shown = lines(named(b"shop.example", "192.0.2.7", frame=3), connection(5, "10.0.0.1:4000", "192.0.2.7:80"))

    assert heading_of(shown, "tcp/5")[1].strip() == "shop.example (DNS #3)"


@pytest.mark.parametrize("form", ["json", "ndjson"])
def test_json_has_the_answers_and_no_names(form: str) -> None:
    def written(*entries: Entry | HostsNamed) -> str:
        out = io.StringIO()
        renderer = make_renderer(form, out)
        renderer.begin(capture())
        for entry in entries:
            tell(renderer, entry)
        return out.getvalue()

    entry = connection(1, "10.0.0.1:4000", "192.0.2.7:80")
    assert written(entry) == written(named(b"printer", "192.0.2.7"), entry)


def test_rows_that_wait_for_the_overview_keep_their_names() -> None:
    entries = named(b"printer", "192.0.2.7"), connection(2, "10.0.0.1:4000", "192.0.2.7:80")
    out = io.StringIO()
    renderer = make_renderer("text", out, overview=True)
    renderer.begin(capture())
    for entry in entries:
        tell(renderer, entry)
    assert out.getvalue() == ""
    renderer.end(capture(), Tally())

    assert heading_of(out.getvalue().splitlines(), "tcp/2")[1].strip() == "printer (file)"


def test_a_filter_hides_the_answer_and_not_the_name() -> None:
    entries = answer(1, b"shop.example", "192.0.2.7"), connection(2, "10.0.0.1:4000", "192.0.2.7:80")
    shown = "\n".join(lines(*entries, select=compile_filter("tcp")))

    assert "DNS shop.example" not in shown
    assert "shop.example (DNS #1)" in shown


def test_without_names_there_are_none() -> None:
    entries = answer(1, b"shop.example", "192.0.2.7"), connection(2, "10.0.0.1:4000", "192.0.2.7:80")

    assert "shop.example (DNS" not in "\n".join(lines(*entries, names=False))


@pytest.mark.parametrize("width", [40, 80, 120])
def test_names_of_any_length_and_content_break_no_row(width: int) -> None:
    hostile = [b"\x1b[31m" + b"x" * 63 + b".example", "가".encode() * 60]
    entries: list[Entry] = [answer(n, name, f"192.0.2.{n}") for n, name in enumerate(hostile, start=1)]
    shown = lines(*entries, connection(3, "192.0.2.1:4000", "192.0.2.2:80"), width=width)

    assert max(widest(line) for line in shown) <= min(width, 100)
    assert all(line.isprintable() for line in shown)
    assert "(DNS #1)" in "\n".join(shown) or width == 40


def test_memory_of_names_has_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(host_names, "MOST", 2)
    names = HostNames()
    for number in (1, 2, 3):
        names.learn(answer(number, b"a.example", f"192.0.2.{number}"))

    assert [names.of(f"192.0.2.{n}:1") is not None for n in (1, 2, 3)] == [False, True, True]


def test_other_events_teach_nothing() -> None:
    names = HostNames()
    other: Event = MidStream(Where(1, 1, "tcp/0", None), "192.0.2.1:1", "192.0.2.2:2")
    names.learn(Entry(1, None, other, ()))

    assert names.of("192.0.2.1:1") is None
