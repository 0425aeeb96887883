"""Other people's captures: the counts of their manifest, or the difference by name."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest

from inspect_cli.errors import InputProblem
from inspect_cli.events.summary import Tally
from tests.corpus import CORPUS, expected, manifest, needs_corpus
from tests.reading import read

DIFFERENCES: dict[str, dict[str, int]] = {
    "arkime__gre-erspan-vxlan.pcap": {"http_requests": 0},
    "gopacket__le-test202.pcapng": {"packets": 8},
    "scapy__tls_nss_example.pcap": {"http_requests": 0},
    "wireshark__pcapng-example.pcapng": {"http_requests": 0, "http_responses": 0, "set_cookie": 0},
    "wireshark__rsasnakeoil2.pcap": {"http_requests": 0, "http_responses": 0},
    "zeek__methods.pcap": {"http_requests": 9},
    "zeek__tls12-decryption.pcap": {"http_requests": 0, "http_responses": 0},
}  # fmt: skip
"""Where our counts differ from tshark's, each explained in docs/differences.md."""


def counts(tally: Tally) -> dict[str, int]:
    frames = {f"ws:{name}": count for name, count in tally.websocket_frames.items()}
    keys = (
        "packets", "connections", "syn", "syn_ack", "fin", "rst", "http_requests", "http_responses",
        "set_cookie", "cookie", "websocket_handshakes",
    )  # fmt: skip
    return {key: getattr(tally, key) for key in keys} | frames


@needs_corpus
@pytest.mark.parametrize("row", manifest(), ids=lambda row: Path(row["path"]).name)
def test_counts_are_those_of_the_manifest_or_a_named_difference(row: dict[str, str]) -> None:
    name = Path(row["path"]).name
    _, tally = read(CORPUS / row["path"])

    assert expected(row) | DIFFERENCES.get(name, {}) == counts(tally)


@needs_corpus
@pytest.mark.parametrize("row", manifest(), ids=lambda row: Path(row["path"]).name)
def test_a_summary_equals_the_summary_of_a_full_run(row: dict[str, str]) -> None:
    _, full = read(CORPUS / row["path"])
    _, alone = read(CORPUS / row["path"], summary_only=True)

    assert None is alone.concepts
    full.concepts = None
    assert full == alone


@needs_corpus
@pytest.mark.parametrize("row", manifest(), ids=lambda row: Path(row["path"]).name)
def test_rows_are_the_same_for_every_batch_size(row: dict[str, str]) -> None:
    path = CORPUS / row["path"]
    whole = read(path)

    assert whole == read(path, batch_bytes=300)
    assert whole == read(path, at_once=False)


@needs_corpus
def test_every_difference_is_explained_in_the_docs() -> None:
    page = (Path(__file__).parent.parent / "docs" / "differences.md").read_text()

    assert [] == [name for name in DIFFERENCES if name not in page]


@needs_corpus
@pytest.mark.parametrize("row", manifest()[:12], ids=lambda row: Path(row["path"]).name)
def test_a_capture_cut_anywhere_is_read_to_the_cut(row: dict[str, str], tmp_path: Path) -> None:
    whole = (CORPUS / row["path"]).read_bytes()
    for part in (1, 7, 30, len(whole) // 3, len(whole) // 2, len(whole) - 1):
        path = tmp_path / f"{part}.pcap"
        path.write_bytes(whole[:part])
        with suppress(InputProblem):
            read(path)
