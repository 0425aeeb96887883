"""What cannot be done is said in one clear sentence, in both languages, with its exit code; what was read is shown."""

from __future__ import annotations

import re
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from inspect_cli.cli import cli
from tests.cli.exchange import EXCHANGE, pcap

HANGUL = re.compile("[\uac00-\ud7a3]")


def inspect(*arguments: str, lang: str = "en", given: bytes | None = None) -> Result:
    return CliRunner().invoke(cli, [*arguments, "--lang", lang], input=given, env={"COLUMNS": "100"})


def check(code: int, *arguments: str, says: str = "", given: bytes | None = None) -> Result:
    """Run in both languages; the sentence is one, the exit code equal."""
    results = [inspect(*arguments, lang=lang, given=given) for lang in ("en", "ko")]
    for result in results:
        told = [line for line in result.stderr.splitlines() if line.startswith("inspect-cli: ")]
        assert (result.exit_code, len(told)) == (code, 1), result.output
        assert "Traceback" not in result.output
    assert says in results[0].stderr
    assert HANGUL.search(results[1].stderr.split("inspect-cli: ")[1])
    return results[0]


@contextmanager
def server(speak: Callable[[socket.socket], None]) -> Iterator[str]:
    """A server on loopback that says to each client what `speak` says; "host:port"."""
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:

        def serve() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with connection:
                    try:
                        speak(connection)
                    except OSError:
                        continue

        threading.Thread(target=serve, daemon=True).start()
        yield f"127.0.0.1:{listener.getsockname()[1]}"
        listener.shutdown(socket.SHUT_RDWR)


def closed_port() -> str:
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        return f"127.0.0.1:{listener.getsockname()[1]}"


def is_silent(connection: socket.socket) -> None:
    while connection.recv(4096):
        pass


def stops_inside_the_head(connection: socket.socket) -> None:
    connection.recv(4096)
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Ty")


def answers_200(connection: socket.socket) -> None:
    connection.recv(4096)
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")


def answers_404(connection: socket.socket) -> None:
    connection.recv(4096)
    connection.sendall(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")


# -- commands that make requests ------------------------------------------------------------


@pytest.mark.parametrize("command", ["cookie-trace", "ws-handshake"])
def test_a_closed_port(command: str) -> None:
    address = closed_port()

    check(7, command, address, says=address.partition(":")[2])


@pytest.mark.parametrize("command", ["cookie-trace", "ws-handshake"])
def test_a_name_that_does_not_resolve(command: str) -> None:
    check(6, command, "no-such-host.invalid", says="no-such-host.invalid")


@pytest.mark.parametrize(
    ("command", "url"),
    [
        ("cookie-trace", "http://"),
        ("cookie-trace", ""),
        ("ws-handshake", ""),
        ("cookie-trace", "gopher://a/"),
        ("cookie-trace", "ws://a/"),
        ("cookie-trace", "http://a:99999/"),
        ("cookie-trace", "http://a b/"),
        ("ws-handshake", "ws://"),
        ("ws-handshake", "http://a/"),
    ],
)
def test_a_url_that_cannot_be_requested(command: str, url: str) -> None:
    check(2, command, url)


def test_a_server_that_never_answers() -> None:
    with server(is_silent) as address:
        result = check(28, "cookie-trace", address, "--max-time", "0.3")

    assert "GET /" in result.stdout


def test_a_server_that_closes_inside_its_head() -> None:
    with server(stops_inside_the_head) as address:
        result = check(1, "cookie-trace", address)

    assert "GET /" in result.stdout


def test_a_websocket_url_that_answers_200() -> None:
    with server(answers_200) as address:
        result = check(1, "ws-handshake", address, says="200")

    assert "200" in result.stdout


def test_an_error_of_the_server_is_an_answer_unless_fail_is_given() -> None:
    with server(answers_404) as address:
        assert inspect("cookie-trace", address).exit_code == 0
        check(1, "cookie-trace", address, "--fail", says="404")


@pytest.mark.parametrize(
    "arguments",
    [
        ["cookie-trace", "--http2", "a"],
        ["cookie-trace", "a", "-H", "no colon"],
        ["cookie-trace", "a", "-d", "@/no/such/file"],
        ["cookie-trace", "a", "-b", "/no/such/jar"],
        ["cookie-trace", "a", "--cacert", "/no/such/file"],
        ["cookie-trace", "-I"],
        ["cookie-trace", "a", "--then"],
        ["cookie-trace", "a", "-w", "x", "--sniff", "never"],
        ["cookie-trace", "a", "-w", "-"],
        ["cookie-trace", "a", "-i", "http://b/"],
        ["cookie-trace", "a", "-Y", "nonsense"],
        ["explain", "no-such-concept"],
        ["serve", "--host", "0.0.0.0"],
        ["replay", "/no/such/file"],
    ],
)
def test_what_cannot_be_done_as_written(arguments: list[str]) -> None:
    check(2, *arguments)


@pytest.mark.sniff
def test_an_output_that_cannot_be_written_is_said_before_anything_is_asked_of_a_server(tmp_path: Path) -> None:
    asked = []
    with server(lambda connection: asked.append(1)) as address:
        check(2, "cookie-trace", address, "-o", str(tmp_path / "no" / "file"))
        check(2, "cookie-trace", address, "-w", str(tmp_path))

    assert asked == []


# -- replay ---------------------------------------------------------------------------------


def written(path: Path, data: bytes) -> str:
    path.write_bytes(data)
    return str(path)


def test_an_empty_file(tmp_path: Path) -> None:
    check(4, "replay", written(tmp_path / "empty.pcap", b""), says="empty.pcap")


def test_a_file_that_is_no_capture(tmp_path: Path) -> None:
    check(4, "replay", written(tmp_path / "page.html", b"<!doctype html><title>x</title>"), says="page.html")


def test_a_directory(tmp_path: Path) -> None:
    check(4, "replay", str(tmp_path), says=str(tmp_path))


def test_a_capture_cut_off_in_a_record_still_shows_what_was_read(tmp_path: Path) -> None:
    result = check(4, "replay", written(tmp_path / "cut.pcap", EXCHANGE[:-20]), says="cut.pcap")

    assert "GET /first" in result.stdout


def test_a_capture_with_a_record_of_impossible_length_still_shows_what_was_read(tmp_path: Path) -> None:
    data = EXCHANGE + struct.pack("<IIII", 1, 9, 0xFFFFFFF0, 0xFFFFFFF0)
    result = check(4, "replay", written(tmp_path / "long.pcap", data), says="long.pcap")

    assert "204" in result.stdout


def test_a_capture_of_an_unknown_link_type(tmp_path: Path) -> None:
    check(4, "replay", written(tmp_path / "odd.pcap", pcap(b"x" * 60, link_type=147)), says="odd.pcap")


@pytest.mark.parametrize("look", [[], ["--summary"]])
def test_a_capture_of_other_protocols_alone(tmp_path: Path, look: list[str]) -> None:
    path = written(tmp_path / "arp.pcap", pcap(bytes(12) + b"\x08\x06" + bytes(46)))

    check(4, "replay", path, *look, says="another protocol than TCP or UDP")


def test_a_whole_capture_from_standard_input_is_no_problem() -> None:
    result = inspect("replay", "-", given=EXCHANGE)

    assert (result.exit_code, result.stderr) == (0, "")
    assert "GET /first" in result.stdout


def test_nothing_at_standard_input() -> None:
    check(4, "replay", "-", given=b"")


def test_the_capture_that_is_read_is_not_written_over(tmp_path: Path) -> None:
    path = written(tmp_path / "a.pcap", EXCHANGE)

    check(2, "replay", path, "-o", path)
    assert Path(path).read_bytes() == EXCHANGE


def test_a_connection_that_the_capture_does_not_have_is_said(tmp_path: Path) -> None:
    path = tmp_path / "one.pcap"
    path.write_bytes(EXCHANGE)

    check(2, "replay", str(path), "--connection", "1", says="there is no connection 1; the capture has 1 connection")
