"""The WebSocket client against servers that are right, wrong, slow and rude."""

from __future__ import annotations

import base64
import hashlib
import socket
import threading
from collections.abc import Callable

import pytest

from inspect_cli.cookies.jar import Jar
from inspect_cli.errors import (
    BadUrl,
    CannotConnect,
    HandshakeRefused,
    InspectedThingFailed,
    ServerGone,
    TimedOut,
    UsageProblem,
)
from inspect_cli.events.base import Side
from inspect_cli.events.calls import Reported
from inspect_cli.sources.client import ClientOptions, Stopped
from inspect_cli.sources.websocket_client import WebSocketClient
from tests.sources.notebook import Notebook
from tests.sources.servers import Handler, Server, fields_of, http, response, serving

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
Talk = Callable[[socket.socket, Server], None]
Frame = tuple[int, bytes]


def accepted(request: bytes, *lines: str) -> bytes:
    key = dict(fields_of(request))["Sec-WebSocket-Key"].encode()
    accept = base64.b64encode(hashlib.sha1(key + GUID).digest()).decode()
    head = ["HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade"]
    return "\r\n".join([*head, f"Sec-WebSocket-Accept: {accept}", *lines, "", ""]).encode()


def frame(opcode: int, payload: bytes = b"") -> bytes:
    return bytes([0x80 | opcode, len(payload)]) + payload


def close(code: int) -> bytes:
    return frame(8, code.to_bytes(2, "big"))


def frames(data: bytes) -> list[Frame]:
    """Short masked frames, unmasked."""
    found: list[Frame] = []
    while data:
        size = data[1] & 0x7F
        key, payload = data[2:6], data[6 : 6 + size]
        found.append((data[0] & 15, bytes(b ^ key[i % 4] for i, b in enumerate(payload))))
        data = data[6 + size :]
    return found


def upgrading(talk: Talk, *lines: str) -> Handler:
    def handler(connection: socket.socket, server: Server) -> None:
        request = server.receive(connection)
        server.send(connection, accepted(request, *lines))
        talk(connection, server)

    return handler


def echo(connection: socket.socket, server: Server) -> None:
    """Each message goes back; a Ping gets its Pong; a Close is answered, and the server closes TCP."""
    while data := server.receive(connection):
        for opcode, payload in frames(data):
            server.send(connection, frame(10 if opcode == 9 else opcode, payload))
            if opcode == 8:
                return


def run(url: str, notebook: Notebook | None = None, **options: object) -> Notebook:
    notebook = notebook or Notebook()
    options.setdefault("options", ClientOptions(timeout_s=10))
    WebSocketClient(url, **options).run(notebook)  # type: ignore[arg-type]
    return notebook


def said(notebook: Notebook) -> list[Frame]:
    """What the client sent behind its upgrade."""
    return frames(notebook.told(Side.CLIENT).partition(b"\r\n\r\n")[2])


def test_messages_a_ping_and_the_closing_handshake() -> None:
    with serving(upgrading(echo)) as server:
        notebook = run(server.ws_url, send=["one", "두 번째"], ping=True)
    assert said(notebook) == [(1, b"one"), (1, "두 번째".encode()), (9, b"inspect-cli"), (8, b"\x03\xe8")]
    (port,) = server.sent
    assert notebook.told(Side.SERVER) == server.sent[port]
    ends = [item.side for item in notebook.items if isinstance(item, Reported) and item.ended]
    assert ends == [Side.SERVER, Side.CLIENT]  # RFC 6455 §7.1.1


def test_each_message_waits_for_its_answer() -> None:
    with serving(upgrading(echo)) as server:
        notebook = run(server.ws_url, send=["one", "two"])
    sides = [item.side for item in notebook.items if isinstance(item, Reported) and not item.ended]
    assert sides[2:6] == [Side.CLIENT, Side.SERVER, Side.CLIENT, Side.SERVER]


def test_pings_of_the_server_are_answered_while_listening() -> None:
    def pushing(connection: socket.socket, server: Server) -> None:
        server.send(connection, frame(9, b"are you there") + frame(1, b"news"))
        server.receive(connection)
        server.send(connection, close(1001))
        server.receive(connection)

    with serving(upgrading(pushing)) as server:
        notebook = run(server.ws_url, listen_s=None)
    assert said(notebook) == [(10, b"are you there"), (8, b"\x03\xe9")]


def test_frames_in_the_segment_of_the_101_are_not_lost() -> None:
    def handler(connection: socket.socket, server: Server) -> None:
        request = server.receive(connection)
        server.send(connection, accepted(request) + frame(9, b"at once"))
        echo(connection, server)

    with serving(handler) as server:
        notebook = run(server.ws_url)
    assert (10, b"at once") in said(notebook)


def test_the_upgrade_carries_origin_subprotocols_cookies_and_fields_of_hand() -> None:
    jar = Jar()
    with serving(upgrading(echo, "Sec-WebSocket-Protocol: chat", "Set-Cookie: a=1")) as server:
        run(server.ws_url, subprotocols=["chat"], jar=jar)
        headers = [("X-A", "1"), ("User-Agent", "")]
        notebook = run(
            f"{server.ws_url}/x?y",
            subprotocols=["chat", "log"],
            origin="http://evil.test",
            headers=headers,
            cookies_by_hand="b=2",
            jar=jar,
        )
    request = notebook.told(Side.CLIENT).partition(b"\r\n\r\n")[0]
    assert request.startswith(b"GET /x?y HTTP/1.1\r\n")
    found = dict(fields_of(request))
    key = found.pop("Sec-WebSocket-Key")
    assert len(base64.b64decode(key)) == 16
    assert found == {
        "Host": f"127.0.0.1:{server.port}",
        "Origin": "http://evil.test",
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Protocol": "chat, log",
        "X-A": "1",
        "Cookie": "a=1; b=2",
    }
    (context,) = notebook.contexts
    assert (context.asking.scheme, context.asking.top_level) == ("ws", False)
    assert [(cookie.name, cookie.by_hand) for cookie in context.given] == [(b"a", False), (b"b", True)]


@pytest.mark.parametrize(
    ("answer", "status", "reason"),
    [
        (response(b"hello"), 200, "OK"),
        (response(b"no", status="403 Forbidden"), 403, "Forbidden"),
        (response(b"", "Location: /", status="302 Found"), 302, "Found"),
        (b"HTTP/1.1 400 Bad Request\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nno\r\n0\r\n\r\n", 400, "Bad Request"),
        (b"HTTP/1.1 426 Upgrade Required\r\n\r\nto the end", 426, "Upgrade Required"),
        (b"HTTP/1.0 404 Not Found\r\n\r\nold", 404, "Not Found"),
        (b"HTTP/1.1 500\r\nContent-Length: 0\r\n\r\n", 500, ""),
    ],
)
def test_an_answer_that_is_no_101_is_a_refusal(answer: bytes, status: int, reason: str) -> None:
    def handler(connection: socket.socket, server: Server) -> None:
        server.receive(connection)
        server.send(connection, answer)

    with serving(handler) as server:
        notebook = Notebook()
        with pytest.raises(HandshakeRefused) as raised:
            run(server.ws_url, notebook)
        assert raised.value.data == {"url": server.ws_url, "status": status, "reason": reason}
        assert notebook.told(Side.SERVER) == answer


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda head: head.replace(b"Accept: ", b"Accept: x"), "accept-mismatch"),
        (lambda head: head.replace(b"Sec-WebSocket-Accept", b"X-Accept"), "accept-missing"),
        (lambda head: head.replace(b"Upgrade: websocket", b"Upgrade: h2c"), "upgrade-wrong"),
        (lambda head: head.replace(b"Connection: Upgrade", b"Connection: close"), "connection-wrong"),
        (lambda head: head[:-2] + b"Sec-WebSocket-Protocol: soap\r\n\r\n", "subprotocol-not-offered"),
        (lambda head: head[:-2] + b"Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n", "extension-not-offered"),
    ],
)
def test_a_101_that_breaks_a_rule_is_refused_by_the_name_of_the_rule(
    change: Callable[[bytes], bytes], reason: str
) -> None:
    """RFC 6455 §4.1, the response, 2 to 6."""

    def handler(connection: socket.socket, server: Server) -> None:
        request = server.receive(connection)
        server.send(connection, change(accepted(request)))
        server.receive(connection)

    with serving(handler) as server:
        with pytest.raises(HandshakeRefused) as raised:
            run(server.ws_url)
        assert (raised.value.data["status"], raised.value.data["reason"]) == (101, reason)


def test_an_http_server_that_keeps_the_connection_is_not_waited_for() -> None:
    with serving(http(lambda _: response(b"hello"))) as server:
        with pytest.raises(HandshakeRefused) as raised:
            run(server.ws_url)
        assert raised.value.data["status"] == 200


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 101 Swi"])
def test_a_server_that_closes_before_its_head_is_gone(answer: bytes) -> None:
    def handler(connection: socket.socket, server: Server) -> None:
        server.receive(connection)
        server.send(connection, answer)

    with serving(handler) as server:
        with pytest.raises(ServerGone) as raised:
            run(server.ws_url)
        assert raised.value.data == {"url": server.ws_url, "seen_bytes": len(answer), "reason": "closed"}


def test_tcp_that_ends_without_a_close_frame_is_abnormal() -> None:
    """RFC 6455 §7.1.5: 1006."""
    with serving(upgrading(lambda connection, server: None)) as server:
        with pytest.raises(ServerGone) as raised:
            run(server.ws_url, listen_s=None)
        assert raised.value.data["reason"] == "closed-without-close"


def test_a_reset_is_said_by_its_name() -> None:
    def reset(connection: socket.socket, server: Server) -> None:
        server.receive(connection)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")

    with serving(upgrading(reset)) as server:
        with pytest.raises(ServerGone) as raised:
            run(server.ws_url, send=["x"], listen_s=None)
        assert raised.value.data["reason"] == "ECONNRESET"


def test_a_server_that_breaks_the_framing_is_failed_with_1002() -> None:
    def masked(connection: socket.socket, server: Server) -> None:
        server.send(connection, b"\x81\x81abcdx")  # RFC 6455 §5.1: a server must not mask
        server.receive(connection)

    with serving(upgrading(masked)) as server:
        notebook = Notebook()
        with pytest.raises(InspectedThingFailed) as raised:
            run(server.ws_url, notebook, listen_s=None)
        assert raised.value.data["reason"] == "protocol-error"
    assert said(notebook)[0][1][:2] == b"\x03\xea"


def test_deflate_is_offered_when_compression_is_asked_for() -> None:
    with serving(upgrading(echo)) as server:
        notebook = run(server.ws_url, options=ClientOptions(compressed=True))
    assert b"\r\nSec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n" in notebook.told(Side.CLIENT)


def test_a_close_code_of_choice() -> None:
    with serving(upgrading(echo)) as server:
        notebook = run(server.ws_url, close_code=4321)
    assert said(notebook) == [(8, (4321).to_bytes(2, "big"))]


def test_a_close_code_that_may_not_be_sent() -> None:
    with serving(upgrading(echo)) as server, pytest.raises(UsageProblem):
        run(server.ws_url, close_code=1006)


@pytest.mark.parametrize("url", ["http://127.0.0.1/", "ws://", "ws://h:x/", "127.0.0.1"])
def test_a_bad_url(url: str) -> None:
    with pytest.raises(BadUrl):
        run(url)


def test_a_line_break_in_a_field_is_not_sent() -> None:
    with pytest.raises(UsageProblem):
        run("ws://127.0.0.1:1/", headers=[("X-A", "1\r\nX-B: 2")])


def test_a_closed_port() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(CannotConnect):
        run(f"ws://127.0.0.1:{port}/")


def test_a_server_that_never_answers() -> None:
    def silent(connection: socket.socket, server: Server) -> None:
        while server.receive(connection):
            pass

    with serving(silent) as server, pytest.raises(TimedOut):
        run(server.ws_url, options=ClientOptions(timeout_s=0.05))


def test_stop_while_listening_closes_in_good_order() -> None:
    listening = threading.Event()

    def told(connection: socket.socket, server: Server) -> None:
        listening.set()
        echo(connection, server)

    with serving(upgrading(told)) as server:
        notebook = Notebook()
        client = WebSocketClient(server.ws_url, listen_s=None)
        stopper = threading.Thread(target=lambda: listening.wait(5) and client.stop())
        stopper.start()
        with pytest.raises(Stopped):
            client.run(notebook)
        stopper.join()
    # Stopped before the 101 was read, it closes without a word; behind it, with its Close.
    assert said(notebook) in ([], [(8, b"\x03\xe8")])
    assert notebook.calls[-1].name == "close"
