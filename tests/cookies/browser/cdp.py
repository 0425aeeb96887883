"""Chromium, headless, spoken to over the DevTools protocol: one thread, nothing awaited but events.

A browser begins with a profile of its own in a temporary folder; leaving it ends its process group.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any, Final

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

Message = dict[str, Any]

PATIENCE_S: Final = 60.0
"""For the slowest single thing on a busy machine; reaching it is a failure."""

_END_WITHIN_S: Final = 10.0

_UNWANTED: Final = (
    "HttpsUpgrades",  # http://a.test stays http
    "HttpsFirstBalancedModeAutoEnable",
    "BackForwardCache",  # a page that was left is gone
    "LocalNetworkAccessChecks",
    "OptimizationHints",
    "MediaRouter",
    "Translate",
)

FLAGS: Final = (
    "--headless=new",
    "--no-sandbox",  # root has none, and others need namespaces that may be missing
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--no-default-browser-check",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-extensions",
    "--disable-sync",
    "--disable-breakpad",
    "--disable-popup-blocking",
    "--metrics-recording-only",
    "--password-store=basic",
    f"--disable-features={','.join(_UNWANTED)}",
)


_DIES_WITH_US: Final = ("setpriv", "--pdeathsig", "KILL") if shutil.which("setpriv") else ()
"""Linux: whatever ends this process, no browser stays behind."""


def chromium_path() -> str | None:
    """Where Chromium is, if it is installed."""
    return shutil.which("chromium")


class DevToolsError(RuntimeError):
    """The browser refused a command."""


class Browser:
    """A running Chromium: commands are answered in order, events are kept until they are forgotten."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._last_id = 0
        self._answers: dict[int, Message] = {}
        self.events: list[Message] = []

    def call(self, method: str, session: str = "", /, **params: Any) -> Message:
        """Send a command and give its result.

        Raises:
            DevToolsError: the browser refused it.
            TimeoutError: no answer.
        """
        number = self._send(method, session, params)
        self.wait(lambda: number in self._answers, f"an answer to {method}")
        answer = self._answers.pop(number)
        if "error" in answer:
            raise DevToolsError(f"{method}: {answer['error']}")
        result: Message = answer["result"]
        return result

    def wait(self, happened: Callable[[], bool], what: str) -> None:
        """Take in messages until this is so.

        Raises:
            TimeoutError: it never was; the text says `what` and which events came instead.
        """
        deadline = time.monotonic() + PATIENCE_S
        while not happened():
            try:
                text = self._socket.recv(timeout=max(0.0, deadline - time.monotonic()))
            except TimeoutError:
                came = [event["method"] for event in self.events[-40:]]
                raise TimeoutError(f"waited {PATIENCE_S:.0f} s for {what}; came: {came}") from None
            self._take(json.loads(text))

    def _send(self, method: str, session: str, params: Mapping[str, Any]) -> int:
        self._last_id += 1
        message: Message = {"id": self._last_id, "method": method, "params": params}
        if session:
            message["sessionId"] = session
        self._socket.send(json.dumps(message))
        return self._last_id

    def _take(self, message: Message) -> None:
        if "id" in message:
            self._answers[message["id"]] = message
            return
        self.events.append(message)
        if message["method"] == "Target.attachedToTarget":
            # A frame of another site has a process, and so a session, of its own: it waits for this.
            self.watch(message["params"]["sessionId"])

    def watch(self, session: str) -> None:
        """Hear the network events of this target, and of the frames in it."""
        self._send("Network.enable", session, {})
        self._send(
            "Target.setAutoAttach", session, {"autoAttach": True, "waitForDebuggerOnStart": True, "flatten": True}
        )
        self._send("Runtime.runIfWaitingForDebugger", session, {})


@contextmanager
def profile(preferences: Mapping[str, Any]) -> Iterator[Path]:
    """A new profile with these preferences, in a folder that is gone when left."""
    with tempfile.TemporaryDirectory(prefix="chromium-", ignore_cleanup_errors=True) as folder:
        inside = Path(folder, "Default")
        inside.mkdir()
        (inside / "Preferences").write_text(json.dumps(preferences))
        yield Path(folder)


@contextmanager
def chromium(folder: Path, *flags: str) -> Iterator[Browser]:
    """A browser with this profile and these flags besides `FLAGS`; when left, its processes are gone.

    Raises:
        RuntimeError: it ended before it listened; the text holds what it said.
    """
    path = chromium_path()
    if path is None:
        raise RuntimeError("Chromium is not installed")
    process = subprocess.Popen(
        [*_DIES_WITH_US, path, *FLAGS, *flags, f"--user-data-dir={folder}", "--remote-debugging-port=0", "about:blank"],
        env=os.environ | {"HOME": str(folder), "TMPDIR": str(folder)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        start_new_session=True,
    )
    assert process.stderr is not None
    drain = threading.Thread(target=_drain, args=(process.stderr,), daemon=True)
    try:
        url = _listening_url(process.stderr)
        drain.start()
        with connect(url, max_size=None, compression=None, proxy=None) as socket:
            yield Browser(socket)
            with suppress(ConnectionClosed):
                socket.send(json.dumps({"id": 0, "method": "Browser.close"}))
                while True:
                    socket.recv(timeout=_END_WITHIN_S)
    finally:
        _end(process)
        if drain.ident:
            drain.join(_END_WITHIN_S)
        process.stderr.close()


def _listening_url(stderr: IO[str]) -> str:
    said: list[str] = []
    for line in stderr:
        before, found, url = line.partition("DevTools listening on ")
        if found:
            return url.strip()
        said.append(before)
    raise RuntimeError("Chromium ended at once: " + "".join(said[-20:]))


def _drain(stderr: IO[str]) -> None:
    for _ in stderr:
        pass


def _end(process: subprocess.Popen[str]) -> None:
    """The whole group: helpers of the browser would outlive it otherwise."""
    with suppress(subprocess.TimeoutExpired):
        process.wait(_END_WITHIN_S)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
