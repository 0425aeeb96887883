from __future__ import annotations

import pytest

from inspect_cli.cookies.asking import asking_for
from inspect_cli.events.cookies import Asking


def test_a_url_becomes_who_asks_for_what() -> None:
    assert Asking("https", "a.test", "/x") == asking_for("HTTPS://A.test:8443/x?y=1#z")
    assert Asking("http", "::1", "/") == asking_for("http://[::1]:80")
    expected = Asking("ws", "a.test", "/%C3%A9%20%2F", "PUT", False, False)
    assert expected == asking_for("ws://u:p@a.test/é %2F", "PUT", same_site=False, top_level=False)


@pytest.mark.parametrize("url", ["", "a.test/x", "http://", "http://[::1", "//a.test/"])
def test_what_is_no_url_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match=r"|Invalid IPv6 URL"):
        asking_for(url)
