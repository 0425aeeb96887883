"""The client against real servers on loopback; its packets are nobody's concern here."""

from __future__ import annotations

import shutil
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from inspect_cli import __version__
from inspect_cli.cookies.jar import Jar
from inspect_cli.errors import (
    BadUrl,
    CannotConnect,
    HostNotFound,
    InspectedThingFailed,
    ServerGone,
    TimedOut,
    TlsFailed,
    UsageProblem,
)
from inspect_cli.events.base import Side
from inspect_cli.events.calls import Reported
from inspect_cli.sources.client import ClientOptions, RequestStep, Stopped
from inspect_cli.sources.http_client import HttpClient
from tests.sources.notebook import Notebook
from tests.sources.servers import Server, fields_of, http, response, serving, target_of


def get(url: str, *, follow: bool = False, headers: tuple[tuple[str, str], ...] = ()) -> RequestStep:
    return RequestStep("GET", url, headers, follow=follow)


def run(
    steps: Sequence[RequestStep] | RequestStep, options: ClientOptions | None = None, jar: Jar | None = None
) -> Notebook:
    notebook = Notebook()
    steps = [steps] if isinstance(steps, RequestStep) else steps
    HttpClient(steps, Jar() if jar is None else jar, options or ClientOptions(timeout_s=10)).run(notebook)
    return notebook


def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def test_a_request_says_no_more_than_curl_does() -> None:
    with serving(http(lambda _: response())) as server:
        notebook = run(get(f"{server.url}/a?b#c"))
    host = f"127.0.0.1:{server.port}"
    expected = f"GET /a?b HTTP/1.1\r\nHost: {host}\r\nUser-Agent: inspect-cli/{__version__}\r\nAccept: */*\r\n\r\n"
    assert notebook.told(Side.CLIENT) == expected.encode()


def test_all_bytes_of_both_sides_are_told_in_order() -> None:
    with serving(http(lambda _: response(b"x" * 300_000))) as server:
        notebook = run([get(server.url), RequestStep("POST", server.url, body=b"y" * 300_000)])
    (port,) = server.received
    assert notebook.told(Side.CLIENT) == server.received[port]
    assert notebook.told(Side.SERVER) == server.sent[port]
    times = [item.time_ns for item in notebook.items if hasattr(item, "time_ns")]
    assert times == sorted(times)
    last = [item for item in notebook.items if isinstance(item, Reported)][-1]
    assert (last.side, last.data, last.ended) == (Side.CLIENT, b"", True)
    assert (last.client, last.server) == (f"127.0.0.1:{port}", f"127.0.0.1:{server.port}")


def test_each_socket_call_is_told_begun_and_returned() -> None:
    with serving(http(lambda _: response())) as server:
        notebook = run(get(server.url))
    told = [(call.name, call.phase) for call in notebook.calls]
    assert told == [
        ("socket", "returned"),
        ("connect", "begun"),
        ("connect", "returned"),
        ("send", "begun"),
        ("send", "returned"),
        ("recv", "begun"),
        ("recv", "returned"),
        ("close", "begun"),
        ("close", "returned"),
    ]
    assert notebook.calls[2].result == "0"
    assert notebook.calls[2].local == f"127.0.0.1:{notebook.locals[0]}"
    assert {call.result for call in notebook.calls if call.phase == "begun"} == {""}


def test_several_steps_to_one_origin_share_a_connection() -> None:
    with serving(http(lambda _: response())) as server:
        notebook = run([get(f"{server.url}/{n}") for n in range(4)])
    assert len(server.received) == 1
    assert notebook.announced == [("127.0.0.1", server.port)]
    assert [context.url for context in notebook.contexts] == [f"{server.url}/{n}" for n in range(4)]


def test_a_redirect_is_followed_hop_by_hop_with_the_cookie_it_set() -> None:
    def answer(request: bytes) -> bytes:
        if target_of(request) == "/":
            return response(b"", "Location: /in", "Set-Cookie: sid=1; Path=/", "Set-Cookie: no", status="302 Found")
        return response()

    with serving(http(answer)) as server:
        notebook = run(get(f"{server.url}/", follow=True))
    (port,) = server.received
    second = server.received[port].split(b"\r\n\r\n")[1]
    assert second.startswith(b"GET /in ")
    assert dict(fields_of(second))["Cookie"] == "sid=1; no"
    assert [(c.asking.method, c.asking.path) for c in notebook.contexts] == [("GET", "/"), ("GET", "/in")]


def test_without_follow_a_redirect_is_an_answer() -> None:
    with serving(http(lambda _: response(b"", "Location: /", status="302 Found"))) as server:
        notebook = run(get(server.url))
    assert len(notebook.contexts) == 1


def test_redirects_without_end_are_ended() -> None:
    with serving(http(lambda _: response(b"", "Location: /", status="302 Found"))) as server:
        step = RequestStep("GET", server.url, follow=True, max_redirects=3)
        with pytest.raises(InspectedThingFailed) as raised:
            run(step)
        assert raised.value.data["reason"] == "too-many-redirects"
        assert sum(data.count(b"GET ") for data in server.received.values()) == 4


def test_cookies_of_the_jar_and_by_hand_go_in_one_field_and_are_in_the_context() -> None:
    jar = Jar()
    with serving(http(lambda _: response(b"", "Set-Cookie: a=1"))) as server:
        run(get(server.url), jar=jar)
        step = RequestStep("GET", server.url, cookies_by_hand="b=2")
        notebook = run(step, jar=jar)
    assert b"Cookie: a=1; b=2\r\n" in notebook.told(Side.CLIENT)
    (context,) = notebook.contexts
    assert [(cookie.name, cookie.by_hand) for cookie in context.given] == [(b"a", False), (b"b", True)]


def test_credentials_by_hand_stay_with_their_origin() -> None:
    with serving(http(lambda _: response())) as other:
        there = f"http://127.0.0.1:{other.port}/"
        with serving(http(lambda _: response(b"", f"Location: {there}", status="302 Found"))) as server:
            url = server.url.replace("//", "//user:pass@")
            run(RequestStep("GET", url, (("X-A", "1"),), follow=True, cookies_by_hand="a=1"))
            first = dict(fields_of(next(iter(server.received.values()))))
        second = dict(fields_of(next(iter(other.received.values()))))
    assert first["Authorization"] == "Basic dXNlcjpwYXNz"
    assert first["Cookie"] == "a=1"
    assert set(second) == {"Host", "User-Agent", "Accept", "X-A"}


def test_user_and_password_of_a_url_are_not_in_its_context() -> None:
    with serving(http(lambda _: response())) as server:
        notebook = run(get(server.url.replace("//", "//user:pass@")))
    assert notebook.contexts[0].url == f"{server.url}/" or notebook.contexts[0].url == server.url


def test_compressed_asks_for_encodings() -> None:
    with serving(http(lambda _: response())) as server:
        notebook = run(get(server.url), ClientOptions(compressed=True))
    assert b"\r\nAccept-Encoding: gzip, deflate\r\n" in notebook.told(Side.CLIENT)


def test_where_the_server_announces_its_close_it_closes_first() -> None:
    """RFC 9112 §9.6: the client waits for the FIN instead of racing it."""
    with serving(http(lambda _: response(b"", "Connection: close"))) as server:
        notebook = run([get(server.url), get(server.url)])
    assert len(server.received) == 2
    ends = [item.side for item in notebook.items if isinstance(item, Reported) and item.ended and item.channel == 0]
    assert ends == [Side.SERVER, Side.CLIENT]


def test_a_request_on_a_kept_connection_that_was_closed_is_said_again() -> None:
    """RFC 9112 §9.3.1; each attempt has a Context of its own."""
    asked: list[bytes] = []

    def answer(request: bytes) -> bytes | None:
        asked.append(request)
        return None if len(asked) == 2 else response()

    with serving(http(answer)) as server:
        notebook = run([get(server.url), get(server.url)])
    assert len(asked) == 3
    assert len(notebook.contexts) == 3


def test_a_post_is_not_said_again() -> None:
    asked: list[bytes] = []

    def answer(request: bytes) -> bytes | None:
        asked.append(request)
        return None if len(asked) == 2 else response()

    with serving(http(answer)) as server, pytest.raises(ServerGone):
        run([get(server.url), RequestStep("POST", server.url, body=b"x")])
    assert len(asked) == 2


def test_a_name_that_does_not_resolve() -> None:
    host = "x" * 70  # too long for a label: no resolver is asked
    with pytest.raises(HostNotFound) as raised:
        run(get(f"http://{host}/"))
    assert raised.value.data == {"host": host}


def test_a_closed_port() -> None:
    port = closed_port()
    notebook = Notebook()
    with pytest.raises(CannotConnect) as raised:
        HttpClient([get(f"http://127.0.0.1:{port}/")], Jar(), ClientOptions()).run(notebook)
    assert raised.value.data == {"host": "127.0.0.1", "port": port, "reason": "ECONNREFUSED"}
    assert [call.result for call in notebook.calls if call.name == "connect"] == ["", "ECONNREFUSED"]
    assert notebook.calls[-1].name == "close"


def test_the_next_address_is_tried_where_the_first_refuses() -> None:
    """The name has two addresses; only the second one listens. Each attempt is announced."""
    with serving(http(lambda _: response()), "127.0.0.2") as server:
        found = [
            (socket.AF_INET, socket.SOCK_STREAM, 6, "", (host, server.port)) for host in ("127.0.0.3", "127.0.0.2")
        ]
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
            notebook = run(get(f"http://two.test:{server.port}/"))
    assert notebook.announced == [("127.0.0.3", server.port), ("127.0.0.2", server.port)]
    assert b"Host: two.test:" in notebook.told(Side.CLIENT)


def test_resolve_gives_a_name_its_address() -> None:
    with serving(http(lambda _: response())) as server:
        options = ClientOptions(resolve={("shop.test", server.port): "127.0.0.1"})
        notebook = run(get(f"http://shop.test:{server.port}/"), options)
    assert notebook.announced == [("127.0.0.1", server.port)]
    assert notebook.contexts[0].asking.host == "shop.test"


def test_ipv6_is_spoken() -> None:
    with serving(http(lambda _: response()), "::1") as server:
        notebook = run(get(server.url))
    assert notebook.calls[-1].remote == f"[::1]:{server.port}"
    assert notebook.contexts[0].asking.host == "::1"


def silent(connection: socket.socket, server: Server) -> None:
    while server.receive(connection):
        pass


def test_a_server_that_never_answers() -> None:
    with serving(silent) as server:
        with pytest.raises(TimedOut) as raised:
            run(get(server.url), ClientOptions(timeout_s=0.05))
        assert raised.value.data == {"url": server.url, "seconds": "0.05"}


def test_a_server_that_answers_without_end_is_timed_out_too() -> None:
    def endless(connection: socket.socket, server: Server) -> None:
        server.receive(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while True:
            connection.sendall(b"1\r\nx\r\n")

    with serving(endless) as server, pytest.raises(TimedOut):
        run(get(server.url), ClientOptions(timeout_s=0.1))


@pytest.mark.parametrize(
    ("said", "seen_bytes"),
    [
        (b"", 0),
        (b"HTTP/1.1 200 OK\r\nConte", 22),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel", 41),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel", 53),
    ],
)
def test_a_server_that_closes_in_the_middle(said: bytes, seen_bytes: int) -> None:
    def cut(connection: socket.socket, server: Server) -> None:
        server.receive(connection)
        connection.sendall(said)

    with serving(cut) as server:
        with pytest.raises(ServerGone) as raised:
            run(get(server.url))
        assert raised.value.data == {"url": server.url, "seen_bytes": seen_bytes, "reason": "closed"}


def test_a_server_that_resets() -> None:
    def reset(connection: socket.socket, server: Server) -> None:
        server.receive(connection)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")

    with serving(reset) as server:
        with pytest.raises(ServerGone) as raised:
            run(get(server.url))
        assert raised.value.data["reason"] == "ECONNRESET"


def test_an_answer_that_is_no_http() -> None:
    def nonsense(connection: socket.socket, server: Server) -> None:
        server.receive(connection)
        connection.sendall(b"220 mail.test ESMTP\r\n\r\n")

    with serving(nonsense) as server:
        with pytest.raises(InspectedThingFailed) as raised:
            run(get(server.url))
        assert raised.value.data["reason"] == "malformed-response"


@pytest.mark.parametrize("url", ["ftp://a.test/", "http://", "a.test", "http://a.test:x/"])
def test_a_bad_url_is_said_before_anything_is_sent(url: str) -> None:
    with serving(http(lambda _: response())) as server:
        with pytest.raises(BadUrl):
            run([get(server.url), get(url)])
        assert server.received == {}


def test_a_method_that_is_no_token() -> None:
    with serving(http(lambda _: response())) as server, pytest.raises(UsageProblem):
        run(RequestStep("GE T", server.url))


def test_stop_ends_a_wait_at_once_and_closes() -> None:
    arrived = threading.Event()

    def waiting(connection: socket.socket, server: Server) -> None:
        server.receive(connection)
        arrived.set()
        silent(connection, server)

    with serving(waiting) as server:
        notebook = Notebook()
        client = HttpClient([get(server.url)], Jar(), ClientOptions())
        stopper = threading.Thread(target=lambda: arrived.wait(5) and client.stop())
        stopper.start()
        begun = time.monotonic()
        with pytest.raises(Stopped):
            client.run(notebook)
        stopper.join()
    assert time.monotonic() - begun < 5
    assert notebook.calls[-1].name == "close"


def test_a_proxy_is_who_is_connected_to() -> None:
    with serving(http(lambda _: response())) as proxy:
        notebook = run(get("http://far.test/x"), ClientOptions(proxy=f"127.0.0.1:{proxy.port}"))
    assert notebook.announced == [("127.0.0.1", proxy.port)]
    assert notebook.told(Side.CLIENT).startswith(b"GET http://far.test/x HTTP/1.1\r\nHost: far.test\r\n")


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if shutil.which("openssl") is None:
        pytest.skip("no openssl to make a certificate with")
    folder = tmp_path_factory.mktemp("tls")
    made = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
    names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
    names += ["-keyout", "key.pem", "-out", "cert.pem"]
    subprocess.run(["openssl", *made, *names], cwd=folder, check=True, capture_output=True, timeout=20)
    return folder


def over_tls(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate / "cert.pem", certificate / "key.pem")
    return context


def test_https_is_spoken_and_its_plaintext_told(certificate: Path) -> None:
    context = over_tls(certificate)
    plain: list[bytes] = []

    def handler(connection: socket.socket, server: Server) -> None:
        with context.wrap_socket(connection, server_side=True) as tls:
            plain.append(tls.recv(65536))
            tls.sendall(response(b"secret"))
            tls.recv(1)

    with serving(handler) as server:
        options = ClientOptions(cacert=str(certificate / "cert.pem"), timeout_s=10)
        notebook = run(
            get(f"https://localhost:{server.port}/"),
            ClientOptions(cacert=options.cacert, resolve={("localhost", server.port): "127.0.0.1"}),
        )
    assert notebook.told(Side.CLIENT) == plain[0]
    assert notebook.told(Side.SERVER) == response(b"secret")
    assert notebook.contexts[0].asking.scheme == "https"


def test_a_certificate_of_nobody_is_refused_unless_insecure(certificate: Path) -> None:
    context = over_tls(certificate)

    def handler(connection: socket.socket, server: Server) -> None:
        with context.wrap_socket(connection, server_side=True) as tls:
            tls.recv(65536)
            tls.sendall(response(b"", "Connection: close"))

    with serving(handler) as server:
        url = f"https://127.0.0.1:{server.port}/"
        with pytest.raises(TlsFailed) as raised:
            run(get(url))
        assert raised.value.data == {"host": "127.0.0.1", "reason": "self-signed certificate"}
        notebook = run(get(url), ClientOptions(insecure=True))
    assert notebook.told(Side.SERVER).startswith(b"HTTP/1.1 200 OK\r\n")


def test_tls_to_a_server_that_speaks_none() -> None:
    def plain(connection: socket.socket, server: Server) -> None:
        server.receive(connection)
        server.send(connection, b"HTTP/1.1 400 Bad Request\r\n\r\n")

    with serving(plain) as server:
        with pytest.raises(TlsFailed) as raised:
            run(get(f"https://127.0.0.1:{server.port}/"))
        assert raised.value.data["host"] == "127.0.0.1"


def test_a_certificate_file_that_does_not_exist() -> None:
    with pytest.raises(UsageProblem):
        run(get("https://127.0.0.1/"), ClientOptions(cacert="/nowhere/ca.pem"))
