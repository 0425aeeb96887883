"""What holds for every test: no network beyond loopback, no locale but C, nothing asked of the terminal."""

from __future__ import annotations

import ipaddress
import os
import shutil
import signal
import socket
import sys

import hypothesis
import pytest

from inspect_cli.sources.rights import may_capture

# A run is bounded by its examples, not by a clock: CI machines are shared. There the examples are the
# same in every run, so that a change is not stopped by what an old bug hid; developers get new ones.
hypothesis.settings.register_profile("house", deadline=None, max_examples=50, derandomize=bool(os.environ.get("CI")))
hypothesis.settings.load_profile("house")

_VARIABLES = ("LC_ALL", "LC_MESSAGES", "NO_COLOR", "CLICOLOR_FORCE", "FORCE_COLOR", "COLUMNS", "SSLKEYLOGFILE")


@pytest.fixture(autouse=True)
def plain_surroundings(monkeypatch: pytest.MonkeyPatch) -> None:
    """The developer's own settings decide nothing."""
    for name in _VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LANG", "C.UTF-8")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update-golden", action="store_true", help="rewrite tests/golden/ from what is printed now; review the diff"
    )


def pytest_configure() -> None:
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        # Begun in the background of a shell: what the tests begin must hear Ctrl-C all the same.
        signal.signal(signal.SIGINT, signal.default_int_handler)
    sys.addaudithook(_stay_at_home)


def _stay_at_home(event: str, arguments: tuple[object, ...]) -> None:
    """Refuse TCP connections that would leave this machine."""
    if event != "socket.connect":
        return
    connecting, address = arguments
    if not isinstance(connecting, socket.socket) or connecting.type != socket.SOCK_STREAM:
        return
    if connecting.family not in (socket.AF_INET, socket.AF_INET6) or not isinstance(address, tuple):
        return
    try:
        is_loopback = ipaddress.ip_address(address[0]).is_loopback
    except ValueError:  # a name
        is_loopback = address[0] == "localhost"
    if not is_loopback:
        raise RuntimeError(f"a test would connect to {address[0]}: only loopback is allowed")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests that need what is not here are skipped, with the reason."""
    reason = may_capture()
    for item in items:
        if reason and item.get_closest_marker("sniff"):
            item.add_marker(pytest.mark.skip(reason=f"this process may not capture ({reason}); see inspect-cli doctor"))
        if item.get_closest_marker("chromium") and shutil.which("chromium") is None:
            item.add_marker(pytest.mark.skip(reason="Chromium is not installed (Debian: apt-get install chromium)"))
