"""The script that records captures/: what it writes is held against the server's log, loudly."""

from __future__ import annotations

import os
import shutil
import struct
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from captures import lossy, names, record
from inspect_cli.events.base import Entry
from inspect_cli.practice import running
from inspect_cli.protocols.dns import message_of
from tests.reading import read


def cannot_isolate() -> str:
    """Why there can be no namespaces and TUN devices here; "" where there can."""
    if not os.access("/dev/net/tun", os.R_OK | os.W_OK) or shutil.which("ip") is None:
        return "needs root, /dev/net/tun and ip(8)"
    done = subprocess.run(["unshare", "--net", "--mount", "true"], capture_output=True, text=True, check=False)
    return done.stderr.strip()


needs_namespaces = pytest.mark.skipif(bool(cannot_isolate()), reason=cannot_isolate() or "namespaces")


@pytest.mark.sniff
@pytest.mark.parametrize("name", ["http-pipelining", "tcp-refused", "http-ipv6"])
def test_a_capture_that_the_log_bears_out_is_recorded(name: str, tmp_path: Path) -> None:
    assert record.main([name], tmp_path) == 0
    assert (tmp_path / f"{name}.pcapng").exists()


@pytest.mark.sniff
def test_a_capture_that_says_other_than_the_log_is_told(tmp_path: Path) -> None:
    path = tmp_path / "run.pcapng"
    with running() as site:
        record.pipelining(site, path)
        record.await_ends(site.log)
        (traffic,) = site.log

    assert record.differences(path, [traffic]) == []
    assert len(record.differences(path, [replace(traffic, sent_bytes=traffic.sent_bytes + 1)])) == 2
    assert len(record.differences(path, [])) == 1
    assert len(record.differences(path, [traffic, replace(traffic, client_port=1)])) == 1


@pytest.mark.sniff
@needs_namespaces
@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("tcp-loss", {"tcp.retransmission-fast", "tcp.lost-before-capture", "tcp.retransmission-timer"}),
        ("tcp-out-of-order", {"tcp.out-of-order"}),
        ("udp-dns", {"udp.no-handshake"}),
    ],
)
def test_what_is_recorded_in_namespaces_is_borne_out_and_shows_what_it_is_for(
    name: str, said: set[str], tmp_path: Path
) -> None:
    assert record.main([name], tmp_path) == 0
    rows, _ = read(tmp_path / f"{name}.pcapng")
    codes = {a.code for row in rows if isinstance(row, Entry) for a in row.annotations}

    # A busy machine may take a timer to be late, or a late packet to be lost; something of its kind is there always.
    assert {code.split(".")[0] for code in said} <= {code.split(".")[0] for code in codes}
    assert any(code in codes for code in said)


@needs_namespaces
def test_a_thread_comes_home_from_a_namespace() -> None:
    before = os.readlink("/proc/thread-self/ns/net")
    with lossy.namespace() as path:
        inside = os.readlink("/proc/thread-self/ns/net")
        with lossy.namespace():
            assert os.readlink("/proc/thread-self/ns/net") not in (before, inside)
            with lossy.namespace(path):
                assert os.readlink("/proc/thread-self/ns/net") == inside

    assert os.readlink("/proc/thread-self/ns/net") == before != inside


@pytest.mark.parametrize(
    ("protocol", "payload", "expected"), [(6, b"", False), (6, b"x", True), (17, b"12345678901234567890x", False)]
)
def test_segments_with_data_are_told_from_others(protocol: int, payload: bytes, expected: bool) -> None:
    tcp = struct.pack(">HHIIBBHHH", 1, 2, 0, 0, 8 << 4, 16, 0, 0, 0) + bytes(12)
    packet = struct.pack(">BxHxxxxxBxxxxxxxxxx", 0x45, 20 + len(tcp + payload), protocol) + tcp + payload

    assert lossy.has_data(packet) is expected


@pytest.mark.parametrize(("kind", "addresses"), [(1, [names.ADDRESS]), (28, [])])
def test_the_name_server_answers_as_dns_is_read(kind: int, addresses: list[str]) -> None:
    question = names.labels(names.NAME) + struct.pack(">HH", kind, 1)
    message = message_of(names.answer(struct.pack(">6H", 7, 0x0100, 1, 0, 0, 0) + question))

    assert message is not None
    assert (message.id, message.is_response, message.code, message.name) == (7, True, 0, names.NAME.encode())
    assert [r.address for r in message.records if r.address] == addresses
    assert [r.alias for r in message.records if r.alias] == [b"shop.example"]
