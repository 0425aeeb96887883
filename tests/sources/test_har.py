from __future__ import annotations

import gzip
import io
import json
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inspect_cli.errors import NotACapture
from inspect_cli.events.base import Entry, Item, Side
from inspect_cli.events.calls import Context, Reported
from inspect_cli.events.cookies import Asking, CookieEvent, LoginSeen
from inspect_cli.events.http import MessageHead, RequestHead
from inspect_cli.events.summary import Tally
from inspect_cli.sources import har as har_source
from inspect_cli.sources.file import CaptureFiles
from inspect_cli.sources.har import HarReader, Told
from inspect_cli.timeline import Timeline
from inspect_cli.wire.unpacking import Unpacked
from tests.reading import read
from tests.sources.hars import CHROMIUM, FIREFOX, MITMPROXY, START_NS, entry, har

MS = 1_000_000
C, S = Side.CLIENT, Side.SERVER
PAGE = {"id": "page_1", "title": "https://shop.test/"}


def reader(data: bytes) -> HarReader:
    return HarReader(b"", Unpacked(io.BytesIO(data)), "x.har")


def items(data: bytes) -> list[Item]:
    return list(reader(data))


def contexts(data: bytes) -> list[Context]:
    return [item for item in items(data) if isinstance(item, Context)]


def sent(data: bytes) -> list[tuple[int, Side, bytes, int]]:
    """What passed which socket: number, side, bytes, unseen bytes behind them."""
    told = [item for item in items(data) if isinstance(item, Reported)]
    return [(one.channel, one.side, one.data, one.unseen_bytes) for one in told if not one.ended]


def rows(tmp_path: Path, data: bytes, **options: Any) -> list[Entry]:
    (tmp_path / "x.har").write_bytes(data)
    found, tally = read(tmp_path / "x.har", **options)
    assert Tally(concepts=tally.concepts) == tally
    return [row for row in found if isinstance(row, Entry)]


def told(entries: list[Entry]) -> list[tuple[str, str]]:
    """Kind, and what tells one row of its kind from another."""
    found = []
    for row in entries:
        event = row.event
        if isinstance(event, MessageHead):
            found.append((event.kind, event.start_line.decode()))
        elif isinstance(event, CookieEvent):
            found.append((event.kind, f"{event.name.decode()} {event.reason}"))
    return found


def test_a_session_of_chromium_is_told_as_it_happened(tmp_path: Path) -> None:
    found = rows(tmp_path, CHROMIUM)

    assert [
        ("request", "GET /login?next=%2F HTTP/1.1"),
        ("response", "HTTP/1.1 200 OK"),
        ("cookie-stored", "sid Stored"),
        ("request", "GET /pixel.gif HTTP/1.1"),
        ("response", "HTTP/1.1 200 OK"),
        ("cookie-refused", "seen SameSiteNoneInsecure"),
        ("request", "GET /account HTTP/1.1"),
        ("cookie-sent", "sid Sent"),
        ("cookie-sent", "theme Unknown"),
        ("response", "HTTP/1.1 200 OK"),
        ("request", "GET /live HTTP/1.1"),
        ("cookie-sent", "sid Sent"),
        ("response", "HTTP/1.1 101 "),
    ] == told(found)
    assert {"reported"} == {row.event.where.basis for row in found}
    assert {()} == {row.event.where.frames for row in found}


def test_entries_of_http2_are_written_as_http1(tmp_path: Path) -> None:
    first = rows(tmp_path, CHROMIUM)[0].event

    assert isinstance(first, RequestHead)
    assert (
        b"GET /login?next=%2F HTTP/1.1\r\n"
        b"Host: shop.test\r\n"
        b"sec-fetch-dest: document\r\n"
        b"sec-fetch-mode: navigate\r\n"
        b"sec-fetch-site: none\r\n"
        b"user-agent: Mozilla/5.0\r\n\r\n"
    ) == first.head
    assert ("socket/0", START_NS) == (first.where.channel, first.where.time_ns)


def test_requests_and_responses_stand_in_order_of_their_times() -> None:
    data = har(entry("http://a.test/slow", wait_ms=500), entry("http://a.test/fast", after_ms=100, wait_ms=50))
    found = [(item.channel, item.time_ns) for item in items(data) if isinstance(item, Reported) and item.data]

    assert [
        (0, START_NS),
        (1, START_NS + 100 * MS),
        (1, START_NS + 150 * MS),
        (0, START_NS + 500 * MS),
    ] == found


def test_bodies_are_as_long_as_the_head_says_and_not_seen() -> None:
    lengths = har(
        entry("http://a.test/", answer=("Content-Length: 1234",)),
        entry("http://a.test/", answer=("Transfer-Encoding: chunked",), after_ms=20),
        entry("http://a.test/", answer=("X: 1",), after_ms=40),
        entry("http://a.test/", answer=("Content-Length: 9",), status=304, after_ms=60),
        entry("http://a.test/", answer=("Content-Length: 9",), method="HEAD", after_ms=80),
    )
    answers = [(data.partition(b"\r\n\r\n")[2], unseen) for _, side, data, unseen in sent(lengths) if side is S]

    assert [(b"", 1234), (b"5\r\n", 5), (b"", 0), (b"", 5), (b"", 0), (b"", 0)] == answers  # (b"", 0): its last chunk
    assert sent(lengths)[4][2:] == (b"\r\n0\r\n\r\n", 0)


@pytest.mark.parametrize("data", [CHROMIUM, FIREFOX, MITMPROXY])
def test_nothing_is_malformed_or_cut_in_what_was_made_of_a_har(data: bytes) -> None:
    timeline = Timeline(strict=True)
    found = [row for item in items(data) for row in timeline.feed(item)] + list(timeline.close())

    bad = {"malformed", "truncated", "gap", "opaque", "message-end", "socket"}
    assert not bad & {row.event.kind for row in found if isinstance(row, Entry)}


def test_a_form_that_the_har_has_whole_is_read(tmp_path: Path) -> None:
    (tmp_path / "x.har").write_bytes(FIREFOX)
    seen: list[LoginSeen] = []
    timeline = Timeline(strict=True)
    with CaptureFiles([str(tmp_path / "x.har")]) as source:
        for item in source.items():
            for happened, _ in timeline.read(item):
                seen += [event for _, event in happened if isinstance(event, LoginSeen)]

    assert [(b"user", b"password")] == [login.form_names for login in seen]


def test_cookies_that_stand_in_the_list_alone_are_taken_from_it() -> None:
    har_reader = reader(MITMPROXY)
    heads = [item.data for item in har_reader if isinstance(item, Reported) and item.data]

    assert heads[0].endswith(b"accept: */*\r\nCookie: a=1\r\n\r\n")
    assert heads[1].endswith(b"server: x\r\nSet-Cookie: b=2; Path=/; Secure; HttpOnly\r\n\r\n")
    assert Told(entries=1, listed=2, has_cookies=True) == har_reader.told


def test_an_expiry_in_the_list_becomes_a_date() -> None:
    one = entry("http://a.test/")
    one["response"]["cookies"] = [
        {"name": "a", "value": "1", "expires": "2027-01-02T03:04:05.000Z", "sameSite": "Lax", "domain": ".a.test"}
    ]
    answer = next(data for _, side, data, _ in sent(har(one)) if side is S)

    assert b"Set-Cookie: a=1; Domain=.a.test; SameSite=Lax; Expires=Sat, 02 Jan 2027 03:04:05 GMT\r\n" in answer


def test_what_never_went_out_is_counted_and_not_told() -> None:
    blocked = entry("https://ads.test/", status=0)
    blocked["response"]["_error"] = "net::ERR_BLOCKED_BY_CLIENT"
    internal = entry("http://a.test/", answer=("Non-Authoritative-Reason: HSTS",), status=307)
    har_reader = reader(
        har(
            blocked,
            internal,
            entry("https://a.test/", _fetchedViaServiceWorker=True),
            entry("https://a.test/", _fromCache="disk"),
            entry("data:text/plain,x"),
        )
    )

    assert [] == list(har_reader)
    assert Told(entries=5, unsent=5) == har_reader.told


def test_a_request_without_an_answer_is_told_alone() -> None:
    assert [(0, C)] == [one[:2] for one in sent(har(entry("http://a.test/", "Host: a.test", status=0)))]


def test_messages_of_a_websocket_are_counted_for_a_har_has_no_frames() -> None:
    har_reader = reader(CHROMIUM)
    list(har_reader)

    assert Told(entries=5, messages=2, unsent=1, has_cookies=True) == har_reader.told


def test_who_asks_is_read_from_the_fields_of_the_request() -> None:
    found = {one.url: one.asking for one in contexts(CHROMIUM)}

    assert Asking("https", "shop.test", "/login") == found["https://shop.test/login?next=%2F"]
    assert (
        Asking("https", "cdn.test", "/pixel.gif", "GET", False, False, False, "https://shop.test")
        == found["https://cdn.test/pixel.gif"]
    )
    assert Asking("wss", "shop.test", "/live", "GET", True, False) == found["wss://shop.test/live"]


def test_who_asks_is_known_by_the_page_where_the_fields_are_silent() -> None:
    stripped = har(
        entry("https://shop.test/", _resourceType="document", pageref="page_1"),
        entry("https://cdn.test/a.js", _resourceType="script", pageref="page_1"),
        entry(
            "https://shop.test/frame.png",
            _resourceType="image",
            pageref="page_1",
            _initiator={"type": "parser", "url": "https://other.test/frame"},
        ),
        entry("https://shop.test/a.css", _resourceType="stylesheet", pageref="page_1"),
        entry("http://shop.test/plain.png", _resourceType="image", pageref="page_1"),
        pages=[PAGE],
    )

    assert [
        Asking("https", "shop.test", "/"),
        Asking("https", "cdn.test", "/a.js", "GET", False, False, False, "https://shop.test"),
        Asking("https", "shop.test", "/frame.png", "GET", False, False, False),
        Asking("https", "shop.test", "/a.css", "GET", True, False),
        Asking("http", "shop.test", "/plain.png", "GET", False, False, True, "https://shop.test"),
    ] == [one.asking for one in contexts(stripped)]


def test_clients_that_name_themselves_differently_have_jars_of_their_own(tmp_path: Path) -> None:
    data = har(
        entry("http://a.test/", "User-Agent: one", answer=("Set-Cookie: a=1",)),
        entry("http://a.test/", "User-Agent: two", after_ms=100),
        entry("http://a.test/", "User-Agent: one", "Cookie: a=1", after_ms=200),
    )
    found = [one for one in told(rows(tmp_path, data)) if one[0].startswith("cookie")]

    assert [("cookie-stored", "a Stored"), ("cookie-sent", "a Sent")] == found


def test_a_script_may_ask_without_cookies_and_then_none_is_missed(tmp_path: Path) -> None:
    data = har(
        entry("http://a.test/", answer=("Set-Cookie: a=1; SameSite=Lax",)),
        entry("http://a.test/font", "Origin: http://b.a.test", after_ms=100),
        entry("http://a.test/next", after_ms=200),
    )
    found = rows(tmp_path, data)

    assert [("cookie-stored", "a Stored"), ("cookie-withheld", "a NotSent")] == [
        one for one in told(found) if one[0].startswith("cookie")
    ]
    assert "inferred" == found[-2].event.where.basis


def test_a_har_is_known_by_what_it_holds(tmp_path: Path) -> None:
    forms = {
        "a.log": CHROMIUM,
        "b": b"\xef\xbb\xbf" + CHROMIUM,
        "c.gz": gzip.compress(CHROMIUM),
        "d": b'{"comment": "mine", ' + CHROMIUM.lstrip()[1:],
    }
    found = []
    for name, data in forms.items():
        (tmp_path / name).write_bytes(data)
        found.append([row.event for row in read(tmp_path / name)[0] if isinstance(row, Entry)])

    assert [found[0]] * 3 == found[1:]
    assert 13 < len(found[0])


def test_json_that_is_no_har_is_no_capture(tmp_path: Path) -> None:
    (tmp_path / "package.json").write_text('{"name": "x", "scripts": {"blog": 1}}')
    with pytest.raises(NotACapture), CaptureFiles([str(tmp_path / "package.json")]):
        pass


def test_a_har_and_a_capture_are_read_together(tmp_path: Path) -> None:
    (tmp_path / "a.har").write_bytes(FIREFOX)
    capture = Path(__file__).parents[2] / "captures" / "http-keep-alive.pcapng"
    alone = [row.event for row in read(capture)[0] if isinstance(row, Entry) and row.event.where.frames]
    with CaptureFiles([str(tmp_path / "a.har"), str(capture)]) as source:
        timeline = Timeline(strict=True)
        found = [row for item in source.items() for row in timeline.feed(item)] + list(timeline.close())

    assert "file" == source.capture.source
    events = [row.event for row in found if isinstance(row, Entry)]
    assert alone == [event for event in events if event.where.frames]
    assert [b"cart", b"last"] == [
        event.name for event in events if event.kind == "cookie-stored" and isinstance(event, CookieEvent)
    ][-2:]


def broken(data: bytes) -> tuple[int, dict[str, Any]]:
    """How many items were given, and what is wrong."""
    har_reader = reader(data)
    number = len(list(har_reader))
    assert har_reader.error is not None
    assert "bad-har" == har_reader.error.code
    assert not har_reader.complete
    return number, har_reader.error.data


def test_what_came_before_the_break_is_kept() -> None:
    whole = len(items(har(entry("http://a.test/"))))
    two = har(entry("http://a.test/"), entry("http://b.test/"))
    cut = two[: two.rindex(b"http://b.test")]

    assert (whole, {"path": "x.har", "reason": "broken-json", "entry": 0, "entries": 1}) == broken(cut)
    assert whole == broken(cut + b"\xff\xff")[0]
    assert whole == broken(cut.replace(b'"log"', b'"log"') + b'"}} nonsense')[0]


def test_an_entry_without_a_request_is_told_and_the_others_are_kept() -> None:
    whole = len(items(har(entry("http://a.test/"))))
    for wrong in ({"response": {}}, 5, None, [], {"request": "GET"}):
        data = har(entry("http://a.test/"), wrong)
        assert (whole, {"path": "x.har", "reason": "no-request", "entry": 2, "entries": 2}) == broken(data)


def test_a_har_without_entries_says_so() -> None:
    for data in (b'{"log": {}}', b'{"log": {"entries": []}}', b'{"log": 5}', b'{"log": {"entries": {"a": 1}}}'):
        assert (0, {"path": "x.har", "reason": "no-entries", "entry": 0, "entries": 0}) == broken(data)


def test_hostile_sizes_end_it_with_a_word(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(har_source, "MOST_ENTRIES", 2)
    many = har(*[entry("http://a.test/")] * 3)

    assert {"path": "x.har", "reason": "too-large", "entry": 0, "entries": 2} == broken(many)[1]
    assert "broken-json" == broken(b'{"log": {"entries": [' + b"9" * 10_000 + b"]}}")[1]["reason"]
    assert "no-entries" == broken(b'{"log": {"x": ' + b"[" * 100_000 + b"]" * 100_000 + b"}}")[1]["reason"]


def test_bodies_do_not_stay_in_memory() -> None:
    large = entry("http://a.test/")
    large["response"]["content"]["text"] = "x" * (1 << 20)
    data = har(*[large] * 16)
    tracemalloc.start()
    list(reader(data))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert peak < 8 << 20 < len(data)


SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12)
NAMES = st.sampled_from(
    [
        *("log", "entries", "pages", "request", "response", "headers", "cookies", "name", "value", "url", "method"),
        *("status", "httpVersion", "postData", "text", "timings", "wait", "startedDateTime", "_webSocketMessages"),
        *("id", "title", "pageref", "_initiator", "type", "expires", "content", "size"),
    ]
)
ANY = st.recursive(
    SCALARS, lambda inside: st.lists(inside, max_size=4) | st.dictionaries(NAMES, inside, max_size=5), max_leaves=30
)


@settings(max_examples=150)
@given(ANY)
def test_any_json_gives_items_or_a_word_and_never_an_exception(value: Any) -> None:
    har_reader = reader(json.dumps({"log": {"entries": [value], "pages": value}}).encode())
    timeline = Timeline(strict=True)
    for item in har_reader:
        list(timeline.feed(item))
    list(timeline.close())


WORDS = st.text(max_size=20) | st.sampled_from(["a: b\r\nSet-Cookie: x=1", "chunked", "5", "close", "https://a.test"])
FIELD_NAMES = st.sampled_from(
    [
        *("Host", "Cookie", "Set-Cookie", "Content-Length", "Transfer-Encoding"),
        *("Upgrade", "Origin", "Referer", "Sec-Fetch-Site", "Connection"),
    ]
)
PAIRS = st.lists(st.fixed_dictionaries({"name": FIELD_NAMES | WORDS, "value": WORDS}), max_size=6)
URLS = st.sampled_from(["http://a.test/", "https://[::1]:8/x?y", "ws://é.test/é", "http://[", "x:y"]) | WORDS


@settings(max_examples=150)
@given(
    st.sampled_from(["GET", "HEAD", "POST", "CONNECT", "get"]) | WORDS,
    URLS,
    PAIRS,
    PAIRS,
    st.integers(0, 1000),
    WORDS,
    st.sampled_from(["2026-11-24T10:00:00Z", "0001-01-01T00:00:00+14:00", "9999-12-31", ""]) | WORDS,
)
def test_any_field_of_an_entry_is_one_message_with_one_answer(
    method: str, url: str, asks: Any, answers: Any, status: int, text: str, time: str
) -> None:
    one = entry(url, method=method, status=status)
    one["request"] |= {"headers": asks, "cookies": answers, "postData": {"text": text}}
    one["response"] |= {"headers": answers, "cookies": asks, "statusText": text}
    one["startedDateTime"] = time
    timeline = Timeline(strict=True)
    heads: list[MessageHead] = []
    for item in items(har(one)):
        heads += [
            row.event for row in timeline.feed(item) if isinstance(row, Entry) and isinstance(row.event, MessageHead)
        ]
    heads += [row.event for row in timeline.close() if isinstance(row, Entry) and isinstance(row.event, MessageHead)]

    assert len(heads) <= 2
    assert ["request", "response"][: len(heads)] == [head.kind for head in heads]
