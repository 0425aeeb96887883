"""Bodies as curl makes them."""

from __future__ import annotations

from pathlib import Path

import pytest

from inspect_cli.cli.curl_body import data_of, multipart
from inspect_cli.errors import FileNotReadable, NoSuchFile, NotSupported, UsageProblem


def test_values_are_joined_by_an_ampersand() -> None:
    assert data_of([("data", "a=1"), ("data_raw", "@b"), ("data_binary", "c")]) == b"a=1&@b&c"


def test_no_value_is_no_body_and_an_empty_one_is() -> None:
    assert (data_of([]), data_of([("data", "")])) == (None, b"")


def test_a_file_loses_its_line_ends_in_data_and_keeps_them_in_data_binary(tmp_path: Path) -> None:
    file = tmp_path / "body"
    file.write_bytes(b"a\r\nb\x00\n")

    assert data_of([("data", f"@{file}")]) == b"ab"
    assert data_of([("data_binary", f"@{file}")]) == b"a\r\nb\x00\n"


@pytest.mark.parametrize(
    ("value", "body"),
    [
        ("a b", b"a%20b"),
        ("=a&b", b"a%26b"),
        ("n=a b=c", b"n=a%20b%3Dc"),
        ("한", b"%ED%95%9C"),
    ],
)
def test_urlencoded_values(value: str, body: bytes) -> None:
    assert data_of([("data_urlencode", value)]) == body


def test_urlencoded_file(tmp_path: Path) -> None:
    file = tmp_path / "body"
    file.write_bytes(b"a b\n")

    assert data_of([("data_urlencode", f"n@{file}")]) == b"n=a%20b%0A"
    assert data_of([("data_urlencode", f"@{file}")]) == b"a%20b%0A"


def test_a_file_that_is_not_there_is_named() -> None:
    with pytest.raises(NoSuchFile) as caught:
        data_of([("data", "@/no/such/file")])

    assert caught.value.data == {"path": "/no/such/file"}


def test_a_directory_is_no_body(tmp_path: Path) -> None:
    with pytest.raises(FileNotReadable):
        data_of([("data", f"@{tmp_path}")])


def test_multipart_fields_and_files(tmp_path: Path) -> None:
    """RFC 7578 §4."""
    file = tmp_path / "note.txt"
    file.write_bytes(b"hello\n")

    got = multipart(["a=1", f"f=@{file}", f"g=<{file}", f'h=@{file};type=x/y;filename="z"'], "B")

    assert got == (
        b'--B\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n'
        b'--B\r\nContent-Disposition: form-data; name="f"; filename="note.txt"\r\n'
        b"Content-Type: text/plain\r\n\r\nhello\n\r\n"
        b'--B\r\nContent-Disposition: form-data; name="g"\r\n\r\nhello\n\r\n'
        b'--B\r\nContent-Disposition: form-data; name="h"; filename="z"\r\nContent-Type: x/y\r\n\r\nhello\n\r\n'
        b"--B--\r\n"
    )


def test_names_of_multipart_fields_cannot_end_their_quotes() -> None:
    assert b'name="a%22%0D%0Ab"' in multipart(['a"\r\nb=1'], "B")


def test_a_form_field_needs_a_name() -> None:
    with pytest.raises(UsageProblem):
        multipart(["novalue"], "B")


def test_form_parameters_that_are_not_spoken_are_refused_by_name() -> None:
    with pytest.raises(NotSupported) as caught:
        multipart(["a=@x;encoder=base64"], "B")

    assert caught.value.data == {"what": "-F ;encoder="}
