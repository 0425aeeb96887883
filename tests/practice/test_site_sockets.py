from __future__ import annotations

import http.client
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from inspect_cli.practice import Practice, running
from tests.practice.raw_client import until


@pytest.fixture(scope="module")
def practice() -> Iterator[Practice]:
    with running() as practice:
        yield practice


def opened(practice: Practice, path: str, **options: object) -> ClientConnection:
    return connect(practice.ws_url + path, proxy=None, open_timeout=5, **options)  # type: ignore[arg-type]


def refusal(practice: Practice, path: str, **options: object) -> tuple[int, bytes]:
    with pytest.raises(InvalidStatus) as caught:
        opened(practice, path, **options)
    return caught.value.response.status_code, caught.value.response.body or b""


def test_echo_gives_text_and_binary_back_as_they_came(practice: Practice) -> None:
    with opened(practice, "/ws/echo") as socket:
        for message in ("안녕", b"\x00\xff", "x" * 70_000):
            socket.send(message)
            assert message == socket.recv(timeout=5)


def test_close_of_the_client_is_answered_with_its_code(practice: Practice) -> None:
    with opened(practice, "/ws/echo") as socket:
        socket.close(4001, "enough")

    assert (4001, 4001) == (socket.protocol.close_sent.code, socket.protocol.close_rcvd.code)  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("offered", "chosen"), [(["superchat", "chat"], "superchat"), (["mail", "chat"], "chat"), (["mail"], None)]
)
def test_first_offered_subprotocol_that_is_spoken_is_chosen(
    practice: Practice, offered: list[str], chosen: str | None
) -> None:
    with opened(practice, "/ws/echo", subprotocols=offered) as socket:
        assert chosen == socket.subprotocol


def test_deflate_is_agreed_where_it_is_offered(practice: Practice) -> None:
    with opened(practice, "/ws/echo") as socket:
        assert "permessage-deflate" in socket.response.headers["Sec-WebSocket-Extensions"]  # type: ignore[union-attr]
    with opened(practice, "/ws/echo", compression=None) as socket:
        assert "Sec-WebSocket-Extensions" not in socket.response.headers  # type: ignore[union-attr]


def test_ping_of_the_client_is_answered(practice: Practice) -> None:
    with opened(practice, "/ws/echo") as socket:
        assert socket.ping(b"there?").wait(5)


def test_three_messages_are_pushed_unasked(practice: Practice) -> None:
    with opened(practice, "/ws/push") as socket:
        assert ["first", "second", "third"] == [socket.recv(timeout=5) for _ in range(3)]


@pytest.mark.parametrize("code", [1000, 1001, 1011, 1012, 3000, 4999])
def test_close_carries_the_code_asked_for(practice: Practice, code: int) -> None:
    with opened(practice, f"/ws/close/{code}") as socket, pytest.raises(ConnectionClosed) as caught:
        socket.recv(timeout=5)

    assert (code, "as you asked") == (caught.value.rcvd.code, caught.value.rcvd.reason)  # type: ignore[union-attr]
    assert caught.value.sent is not None


def test_close_by_the_server_ends_without_rst() -> None:
    with running() as practice:
        with opened(practice, "/ws/close/1000") as socket, pytest.raises(ConnectionClosed):
            socket.recv(timeout=5)
        until(lambda: next(iter(practice.log)).closed)
        seen = next(iter(practice.log))

    assert (True, False) == (seen.client_finished, seen.reset)


@pytest.mark.parametrize("code", [0, 999, 1005, 1006, 1015, 5000])
def test_close_code_that_no_frame_carries_is_refused(practice: Practice, code: int) -> None:
    assert (400, b"a Close frame never carries this code\n") == refusal(practice, f"/ws/close/{code}")


@pytest.mark.parametrize(("asked", "status"), [(400, 400), (403, 403), (503, 503), (200, 400)])
def test_upgrade_is_refused_with_the_status_asked_for(practice: Practice, asked: int, status: int) -> None:
    assert (status, b"refused, as you asked\n") == refusal(practice, f"/ws/refuse/{asked}")


def test_origin_of_another_site_is_refused(practice: Practice) -> None:
    with opened(practice, "/ws/origin", origin=practice.http_url) as socket:
        socket.send("mine")
        assert "mine" == socket.recv(timeout=5)
    assert (403, b"this Origin may not connect\n") == refusal(practice, "/ws/origin", origin="http://evil.example")
    assert 403 == refusal(practice, "/ws/origin")[0]


def test_handshake_carries_the_session_cookie(practice: Practice) -> None:
    parts = urlsplit(practice.http_url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=5)
    connection.request("POST", "/login", "name=alice&password=practice")
    cookie = connection.getresponse().headers["set-cookie"].partition(";")[0]
    connection.close()

    assert (401, b"log in first\n") == refusal(practice, "/ws/account")
    with opened(practice, "/ws/account", additional_headers={"Cookie": cookie}) as socket:
        assert "Hello, alice" == socket.recv(timeout=5)


def test_everybody_hears_what_anybody_says(practice: Practice) -> None:
    with opened(practice, "/ws/chat") as one, opened(practice, "/ws/chat") as other:
        one.send("hello")
        assert ["hello", "hello"] == [member.recv(timeout=5) for member in (one, other)]
        other.send("hi")
        assert ["hi", "hi"] == [member.recv(timeout=5) for member in (one, other)]


def test_upgrade_of_a_path_that_is_no_websocket_is_refused(practice: Practice) -> None:
    assert 403 == refusal(practice, "/cookies")[0]
