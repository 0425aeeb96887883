"""The right to capture, and how to get it: a user and network namespace of one's own.

`python -m inspect_cli.sources.rights ARGUMENTS` is the fresh process without threads that
unshare() asks for; it becomes `python -m inspect_cli ARGUMENTS` inside the namespace. So
nothing imported here may start a thread (numpy does).
"""

from __future__ import annotations

import ctypes
import errno
import json
import os
import socket
import struct
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, NoReturn

from inspect_cli.errors import NotPermitted

INSIDE: Final = "INSPECT_CLI_NAMESPACE"
"""Environment variable that is set inside the namespace."""

_CLONE_NEWUSER: Final = 0x10000000
_CLONE_NEWNET: Final = 0x40000000
_SIOCGIFFLAGS: Final = 0x8913
_SIOCSIFFLAGS: Final = 0x8914
_IFF_UP: Final = 1
_IFREQ = struct.Struct("=16sH22x")
_CHILD_S: Final = 10.0
_SOL_PACKET: Final = 263
_PACKET_IGNORE_OUTGOING: Final = 23


class NamespaceRefused(NotPermitted):
    """The kernel refused a step of the way into a namespace. Data: reason, step, errno."""


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that `doctor` tries: a stable code, whether it works, and facts for the words."""

    code: str
    """`capture`, `namespace`, `interfaces`, `libpcap`, `ignore-outgoing`."""
    ok: bool
    data: dict[str, str | int]


def may_capture() -> str:
    """Why this process may not capture packets: "" (it may), `platform`, `no-capture-right`.

    Another errno's name is given as it is. Tried with a packet socket that hears nothing.
    """
    if sys.platform != "linux":
        return "platform"
    try:
        socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0).close()
    except PermissionError:
        return "no-capture-right"
    except OSError as error:
        return errno.errorcode.get(error.errno or 0, "EIO")
    return ""


def is_inside() -> bool:
    """This process was started by `enter_namespace`."""
    return os.environ.get(INSIDE) == "1"


def enter_namespace(argv: Sequence[str]) -> NoReturn:
    """Become `inspect-cli ARGV` in a namespace where it may capture, with a `lo` of its own.

    Only servers inside are reached from there. Tried in a child first, so that a refusal
    leaves this process as it is.

    Raises: NamespaceRefused.
    """
    step = namespace_possible()
    if step:
        raise NamespaceRefused(reason="namespace-refused", step=step)
    os.execv(sys.executable, [sys.executable, "-m", "inspect_cli.sources.rights", *argv])


def namespace_possible() -> str:
    """Go the whole way in a child: "" or the step that the kernel refuses.

    Steps: `platform`, `unshare`, `setgroups`, `uid_map`, `gid_map`, `loopback`, `capture`;
    `child` where the child itself failed.
    """
    if sys.platform != "linux":
        return "platform"
    told = _ask_child("namespace")
    return "child" if told is None else str(told.get("step", ""))


def checks() -> list[Check]:
    """What `doctor` says of this machine; what needs a right is tried in a child."""
    capture = may_capture()
    step = namespace_possible()
    facts = _ask_child("facts") or {}
    inside = {} if capture == "" or step else _ask_child("facts-inside") or {}
    ignores = facts.get("ignore_outgoing") or inside.get("ignore_outgoing") or "untried"
    names = [name for _, name in socket.if_nameindex()] if hasattr(socket, "if_nameindex") else []
    release = os.uname().release if hasattr(os, "uname") else ""
    return [
        Check("capture", capture == "", {"reason": capture}),
        Check("namespace", step == "", {"step": step, **_hints()}),
        Check("interfaces", bool(names), {"names": ", ".join(names)}),
        Check("libpcap", bool(facts.get("libpcap")), {"name": str(facts.get("libpcap", ""))}),
        Check("ignore-outgoing", ignores == "yes", {"kernel": release, "tried": str(ignores)}),
    ]


def _hints() -> dict[str, str | int]:
    """Settings that are known to forbid namespaces; only those that this kernel has."""
    found: dict[str, str | int] = {}
    for name in (
        "kernel/apparmor_restrict_unprivileged_userns",
        "kernel/unprivileged_userns_clone",
        "user/max_user_namespaces",
    ):
        try:
            with open(f"/proc/sys/{name}", encoding="ascii") as setting:
                found[name.replace("/", ".")] = setting.read().strip()
        except OSError:
            continue
    return found


# -- in the child --------------------------------------------------------------------------


def _ask_child(what: str) -> dict[str, str] | None:
    """Run this module with a question; what it printed, None where it failed."""
    command = [sys.executable, "-m", "inspect_cli.sources.rights", "--try", what]
    try:
        done = subprocess.run(command, capture_output=True, timeout=_CHILD_S, check=False)
        told = json.loads(done.stdout)
    except (OSError, ValueError, subprocess.SubprocessError):
        return None
    return told if isinstance(told, dict) else None


def go_inside() -> None:
    """Take this process into a new user and network namespace, as its root.

    It may have one thread only; where a step is refused it is of no more use.

    Raises: NamespaceRefused.
    """
    uid, gid = os.getuid(), os.getgid()
    _step("unshare", lambda: _call_unshare(_CLONE_NEWUSER | _CLONE_NEWNET))
    # Without "deny" the kernel lets nobody but root write gid_map (user_namespaces(7)).
    _step("setgroups", lambda: _write("/proc/self/setgroups", "deny"))
    # Mapped to 0: exec() would take the capabilities from any other user.
    _step("uid_map", lambda: _write("/proc/self/uid_map", f"0 {uid} 1"))
    _step("gid_map", lambda: _write("/proc/self/gid_map", f"0 {gid} 1"))
    _step("loopback", _loopback_up)
    reason = may_capture()
    if reason:
        raise NamespaceRefused(reason="namespace-refused", step="capture", errno=reason)


def _step(name: str, do: Callable[[], None]) -> None:
    try:
        do()
    except OSError as error:
        raise NamespaceRefused(
            reason="namespace-refused", step=name, errno=errno.errorcode.get(error.errno or 0, "EIO")
        ) from error


def _call_unshare(flags: int) -> None:
    if sys.version_info >= (3, 12):
        os.unshare(flags)
        return
    library = ctypes.CDLL(None, use_errno=True)
    if library.unshare(flags) != 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))


def _write(path: str, text: str) -> None:
    with open(path, "wb", buffering=0) as file:  # one write(2): the maps take no second
        file.write(text.encode())


def _loopback_up() -> None:
    """`ip link set lo up` (netdevice(7))."""
    import fcntl

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        answer = fcntl.ioctl(control, _SIOCGIFFLAGS, _IFREQ.pack(b"lo", 0))
        flags = _IFREQ.unpack(answer)[1]
        fcntl.ioctl(control, _SIOCSIFFLAGS, _IFREQ.pack(b"lo", flags | _IFF_UP))


def _facts() -> dict[str, str]:
    """What can be found out only by trying: libpcap, and each packet once on loopback."""
    facts = {"libpcap": "", "ignore_outgoing": ""}
    for name in ("libpcap.so.1", "libpcap.so.0.8", "libpcap.so", "libpcap.dylib", "wpcap.dll"):
        try:
            ctypes.CDLL(name)
        except OSError:
            continue
        facts["libpcap"] = name
        break
    if may_capture() == "":
        with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0) as listener:
            try:
                listener.setsockopt(_SOL_PACKET, _PACKET_IGNORE_OUTGOING, 1)
                facts["ignore_outgoing"] = "yes"
            except OSError:
                facts["ignore_outgoing"] = "no"
    return facts


def _try(what: str) -> dict[str, str]:
    if what == "facts":
        return _facts()
    try:
        go_inside()
    except NamespaceRefused as error:
        return {"step": str(error.data["step"]), "errno": str(error.data["errno"])}
    return _facts() if what == "facts-inside" else {"step": ""}


def main(argv: Sequence[str]) -> int:
    """`--try WHAT`: print what was found as JSON. Else: go inside and become inspect-cli ARGV.

    Where the kernel refuses, the step is printed to standard error and 3 returned.
    """
    if len(argv) == 2 and argv[0] == "--try":
        print(json.dumps(_try(argv[1])))
        return 0
    try:
        go_inside()
    except NamespaceRefused as error:
        print(f"namespace-refused: {error.data['step']}: {error.data['errno']}", file=sys.stderr)
        return error.exit_code
    os.environ[INSIDE] = "1"
    return os.execv(sys.executable, [sys.executable, "-m", "inspect_cli", *argv])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
