"""What is told of a live run against what the server's own sockets wrote down.

The practice server's log is the other witness: it knows no packet and none of our parsers. The
requests are found in it by a reader of a dozen lines, which shares nothing with ours.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import pytest

from inspect_cli.cookies.jar import Jar
from inspect_cli.cookies.profiles import PROFILES
from inspect_cli.events.base import Entry, Item, Side
from inspect_cli.events.cookies import ClientRestarted, CookieSent, CookieWithheld
from inspect_cli.events.http import MessageHead, RequestHead, ResponseHead
from inspect_cli.events.tcp import Connection
from inspect_cli.events.websocket import WebSocketFrame
from inspect_cli.practice import TOUR, Practice, running
from inspect_cli.practice.byte_log import Traffic
from inspect_cli.sources.client import Client, ClientOptions, RequestStep
from inspect_cli.sources.http_client import HttpClient
from inspect_cli.sources.live import Live
from inspect_cli.sources.websocket_client import WebSocketClient
from inspect_cli.timeline import Timeline
from tests.practice.raw_client import until
from tests.sources.notebook import payloads
from tests.sources.servers import http, response, serving, target_of

pytestmark = pytest.mark.sniff

OPTIONS = ClientOptions(timeout_s=10, compressed=True)


@pytest.fixture(scope="module", params=["127.0.0.1", "::1"])
def site(request: pytest.FixtureRequest) -> Iterator[Practice]:
    with running(request.param) as practice:
        yield practice


class Run(NamedTuple):
    """One run as two witnesses tell it."""

    entries: list[Entry]
    connections: list[Connection]
    items: list[Item]
    log: list[Traffic]
    """Of this run's connections, in the order in which the server accepted them."""

    def heads(self, connection: Connection, side: Side) -> list[MessageHead]:
        events = [entry.event for entry in self.entries]
        return [
            event
            for event in events
            if isinstance(event, RequestHead if side is Side.CLIENT else ResponseHead)
            and (event.where.channel, event.where.side) == (connection.channel, side)
        ]


def observed(client: Client, site: Practice) -> Run:
    """Run a client; what its packets told, and what the server's sockets wrote down."""
    before = len(site.log)
    timeline = Timeline(strict=True)
    items: list[Item] = []
    rows: list[Entry | Connection] = []
    with Live(client, sniff="always") as live:
        for item in live.items():
            items.append(item)
            rows += timeline.feed(item)
    rows += timeline.close(complete=live.capture.complete is not False)
    until(lambda: all(traffic.client_finished or traffic.reset or traffic.closed for traffic in site.log))

    assert (live.drops, live.capture.complete, timeline.tally.problems.get("gap", 0)) == (0, True, 0)
    return Run(
        [row for row in rows if isinstance(row, Entry)],
        sorted((row for row in rows if isinstance(row, Connection)), key=lambda row: row.id),
        items,
        list(site.log)[before:],
    )


def asking(*steps: RequestStep) -> HttpClient:
    return HttpClient(list(steps), Jar(), OPTIONS)


def get(url: str, *headers: tuple[str, str], follow: bool = False) -> RequestStep:
    return RequestStep("GET", url, headers, follow=follow)


def port_of(endpoint: str) -> int:
    return int(endpoint.rsplit(":", 1)[1])


def streams_of(run: Run, traffic: Traffic) -> tuple[bytes, bytes]:
    """The bytes of each side, put together from frames by their sequence numbers alone."""
    found = payloads(run.items, traffic.server_port)
    ports = (traffic.client_port, traffic.server_port)
    return found.get(ports, b""), found.get(ports[::-1], b"")


def requests_in(stream: bytes) -> list[bytes]:
    """Heads of the requests in bytes that a server received; what follows an upgrade is no request."""
    heads: list[bytes] = []
    while b"\r\n\r\n" in stream:
        head, end, stream = stream.partition(b"\r\n\r\n")
        heads.append(head + end)
        lengths = [line[15:] for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
        stream = stream[int(lengths[0]) :] if lengths else stream
        if b"\r\nupgrade:" in head.lower():
            break
    return heads


def hold_against_the_log(run: Run) -> None:
    """Each connection's bytes, counts and heads are those that the server's sockets wrote down."""
    assert [(port_of(c.client), port_of(c.server)) for c in run.connections] == [
        (traffic.client_port, traffic.server_port) for traffic in run.log
    ]
    for connection, traffic in zip(run.connections, run.log, strict=True):
        assert (connection.bytes_client, connection.bytes_server) == (traffic.received_bytes, traffic.sent_bytes)
        assert streams_of(run, traffic) == (traffic.received, traffic.sent)
        asked = run.heads(connection, Side.CLIENT)
        assert [event.head for event in asked] == requests_in(traffic.received)
        assert [event.index for event in asked] == list(range(len(asked)))
        for stream, heads in ((traffic.received, asked), (traffic.sent, run.heads(connection, Side.SERVER))):
            assert [event.head for event in heads] == [stream[e.where.start : e.where.end] for e in heads]


def targets(run: Run) -> list[bytes]:
    return [entry.event.target for entry in run.entries if isinstance(entry.event, RequestHead)]


def statuses(run: Run) -> list[int]:
    return [entry.event.status for entry in run.entries if isinstance(entry.event, ResponseHead)]


def test_the_tour_is_told_as_the_server_saw_it(site: Practice) -> None:
    form = (("Content-Type", "application/x-www-form-urlencoded"),)
    steps = [
        RequestStep(
            stop.method,
            site.http_url + stop.path,
            form if stop.form else (),
            "&".join(f"{name}={value}" for name, value in stop.form).encode() or None,
        )
        for stop in TOUR
    ]
    run = observed(asking(*steps), site)

    hold_against_the_log(run)
    assert targets(run) == [stop.path.encode() for stop in TOUR]
    assert statuses(run) == [200, 200, 303, 200, 303]
    assert len(run.connections) == 1


@pytest.mark.parametrize(
    ("paths", "connections"),
    [
        (["/gzip", "/chunked", "/size/100000"], 1),
        (["/close", "/close"], 2),
        (["/status/404", "/status/500", "/", "/shop"], 1),
        (["/cookies/all", "/cookies/bad", "/cookies"], 1),
    ],
    ids=lambda value: value[0][1:] if isinstance(value, list) else "",
)
def test_every_request_is_told_once_and_in_order(site: Practice, paths: list[str], connections: int) -> None:
    run = observed(asking(*[get(site.http_url + path) for path in paths]), site)

    hold_against_the_log(run)
    assert targets(run) == [path.encode() for path in paths]
    assert len(statuses(run)) == len(paths)
    assert len(run.connections) == connections


def test_a_redirect_is_two_requests(site: Practice) -> None:
    run = observed(asking(get(f"{site.http_url}/redirect", follow=True)), site)

    hold_against_the_log(run)
    assert (targets(run), statuses(run)) == ([b"/redirect", b"/redirect/target"], [302, 200])


@pytest.mark.parametrize("profile", list(PROFILES))
def test_what_goes_is_what_the_packets_say_should_go(site: Practice, profile: str) -> None:
    """The jar that decides live and the one that decides from the wire are of one profile, and agree."""
    url = site.http_url
    elsewhere = "https://elsewhere.test/"
    steps = [
        get(f"{url}/cookies/all"),
        get(f"{url}/cookies/bad"),
        get(f"{url}/"),
        get(f"{url}/redirect", follow=True),
        RequestStep("GET", f"{url}/cookies", via="img", page=elsewhere),
        RequestStep("POST", f"{url}/echo", via="post", page=elsewhere),
        RequestStep("GET", f"{url}/redirect", via="link", page=elsewhere, follow=True),
        RequestStep("GET", f"{url}/cookies/all", restart=True),
        get(f"{url}/shop"),
    ]
    options = ClientOptions(timeout_s=10, profile=profile)
    run = observed(HttpClient(steps, Jar(profile), options), site)

    hold_against_the_log(run)
    events = [entry.event for entry in run.entries]
    decided = [event for event in events if isinstance(event, CookieSent | CookieWithheld)]
    assert {True} == {event.expected for event in decided}
    assert {"reported", "observed"} >= {event.where.basis for event in decided}
    sent = {event.name for event in decided if isinstance(event, CookieSent) and event.of.index == 3}
    assert sent == {line.split(b"=")[0] for line in cookie_lines(run, 3)}
    assert [("jar", True, True)] == [
        (event.jar, bool(event.gone), bool(event.kept)) for event in events if isinstance(event, ClientRestarted)
    ]
    assert len(run.connections) == 2


@pytest.mark.parametrize("profile", list(PROFILES))
def test_more_cookies_than_a_client_takes_are_counted_alike_on_both_sides(profile: str) -> None:
    """Bounds of one response (curl 50), of the jar, of the Cookie field (curl 150 and 8,190 bytes)."""
    lines = [f"Set-Cookie: c{{}}-{number}=1; Max-Age=600" for number in range(60)]

    def answer(request: bytes) -> bytes:
        return response(b"", *[line.format(target_of(request)[1:]) for line in lines])

    with serving(http(answer)) as server:
        steps = [get(f"{server.url}/{number}") for number in range(4)]
        timeline = Timeline(strict=True)
        rows: list[Entry | Connection] = []
        with Live(
            HttpClient(steps, Jar(profile), ClientOptions(timeout_s=10, profile=profile)), sniff="always"
        ) as live:
            for item in live.items():
                rows += timeline.feed(item)
        rows += timeline.close()
        requests = b"".join(server.received.values()).split(b"\r\n\r\n")
    events = [row.event for row in rows if isinstance(row, Entry)]

    sent = [event for event in events if isinstance(event, CookieSent)]
    assert {True} == {event.expected for event in events if isinstance(event, CookieSent | CookieWithheld)}
    assert {"stored"} == {event.origin for event in sent}
    pairs = [line.count(b"=") for head in requests for line in head.split(b"\r\n") if line.startswith(b"Cookie: ")]
    assert sum(pairs) == len(sent)


def cookie_lines(run: Run, index: int) -> list[bytes]:
    """The pairs of the Cookie field of a request, as the server's socket read it."""
    head = requests_in(run.log[0].received)[index]
    fields = [line[8:] for line in head.split(b"\r\n") if line.lower().startswith(b"cookie: ")]
    return fields[0].split(b"; ") if fields else []


def test_a_body_goes_up_and_comes_back(site: Practice) -> None:
    body = bytes(range(256)) * 1000
    run = observed(asking(RequestStep("POST", f"{site.http_url}/echo", (), body)), site)

    hold_against_the_log(run)
    assert run.log[0].received.endswith(body)
    assert statuses(run) == [200]


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/http10",
        "/closed",
        "/closed-in-head",
        "/closed-in-body",
        "/closed-in-chunk",
        "/reset",
        "/reset-in-body",
        "/half-close",
        "/odd-fields",
        "/interim",
        "/trailers",
        "/two-lengths",
        "/garbage",
        "/drip",
    ],
)
def test_a_server_that_misbehaves_is_told_to_the_byte(site: Practice, path: str) -> None:
    run = observed(asking(get(site.raw_url + path)), site)

    hold_against_the_log(run)
    assert set(targets(run)) == {path.encode()}


@pytest.mark.parametrize(
    ("path", "raw"),
    [("/ws/echo", False), ("/ws/push", False), ("/ws/close/4001", False), ("/ws/fragmented", True), ("/ws/ping", True)],
)
def test_websocket_frames_fill_both_streams_behind_the_upgrade(site: Practice, path: str, raw: bool) -> None:
    base = site.ws_raw_url if raw else site.ws_url
    client = WebSocketClient(f"{base}{path}", send=("hello", "안녕" * 5000), ping=True, listen_s=0.1, options=OPTIONS)
    run = observed(client, site)

    hold_against_the_log(run)
    assert (targets(run), statuses(run)) == ([path.encode()], [101])
    (connection,), (traffic,) = run.connections, run.log
    for side, stream in ((Side.CLIENT, traffic.received), (Side.SERVER, traffic.sent)):
        at = len(run.heads(connection, side)[0].head)
        frames = [entry.event for entry in run.entries if isinstance(entry.event, WebSocketFrame)]
        for frame in [frame for frame in frames if frame.where.side is side]:
            assert (frame.where.start, frame.opcode) == (at, stream[at] & 15)
            at = frame.where.end
        assert at == len(stream)


@pytest.mark.parametrize("path", ["/ws/refuse/403", "/ws/origin"])
def test_a_refused_upgrade_is_told_to_the_byte(site: Practice, path: str) -> None:
    headers = [("Origin", "http://elsewhere.example")]
    run = observed(WebSocketClient(f"{site.ws_url}{path}", headers=headers, options=OPTIONS), site)

    hold_against_the_log(run)
    assert (targets(run), statuses(run)) == ([path.encode()], [403])
