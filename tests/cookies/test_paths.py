from __future__ import annotations

import pytest

from inspect_cli.cookies.paths import default_path, path_matches


@pytest.mark.parametrize(
    ("path", "expected"), [("/a/b", "/a"), ("/a/", "/a"), ("/a", "/"), ("/", "/"), ("", "/"), ("*", "/"), ("a/b", "/")]
)
def test_the_default_path_is_the_directory(path: str, expected: str) -> None:
    """6265bis §5.1.4."""
    assert expected == default_path(path)


@pytest.mark.parametrize(
    ("request_path", "cookie_path", "expected"),
    [
        ("/a", "/a", True),
        ("/a/b", "/a", True),
        ("/a/b", "/a/", True),
        ("/ab", "/a", False),
        ("/a", "/a/", False),
        ("/A", "/a", False),
        ("/x", "/", True),
    ],
)
def test_a_path_matches_at_a_slash(request_path: str, cookie_path: str, expected: bool) -> None:
    assert expected == path_matches(request_path, cookie_path)
