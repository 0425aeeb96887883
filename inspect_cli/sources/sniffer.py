"""Frames of our own connections, from scapy's listening socket tuned beneath.

Linux only: scapy opens the socket and knows the interface, everything behind that is read
with recvmsg (scapy's own reading loses frames from 20,000 a second on).
"""

from __future__ import annotations

import contextlib
import errno
import logging
import select
import socket
import sys
import threading
import time
from collections import deque
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from inspect_cli.errors import NotPermitted
from inspect_cli.sources import bpf
from inspect_cli.sources.nonce import Nonce
from inspect_cli.sources.ours import Ours, Verdict
from inspect_cli.sources.packet_socket import (
    ARPHRD_LOOPBACK,
    ETH_P_ALL,
    ETHERNET,
    FrameReader,
    await_frames,
    drops_of,
    link_type_of,
    tune,
)
from inspect_cli.sources.peek import peek
from inspect_cli.sources.routes import interface_for
from inspect_cli.wire.gathering import Captured

if TYPE_CHECKING:
    from scapy.arch.linux import L2ListenSocket

_PROOF_S: Final = 1.0
_LAST_PROOF_S: Final = 1.0


class Listener:
    """One interface: scapy's socket, opened deaf, then tuned, filtered and bound."""

    def __init__(self, interface: str, index: int) -> None:
        self.interface = interface
        self._scapy = _open_deaf(interface)
        self.socket: socket.socket = self._scapy.ins
        try:
            hardware_type = self.socket.getsockname()[3]
            self.is_loopback = hardware_type == ARPHRD_LOOPBACK
            link_type = link_type_of(hardware_type)
            if link_type is None:
                raise NotPermitted(reason="interface-type", interface=interface)
            self.link_type = link_type
            tune(self.socket, loopback=self.is_loopback)
            self.reader = FrameReader(self.socket, link_type, index, loopback=self.is_loopback)
        except BaseException:
            self._scapy.close()
            raise
        self.nonce = Nonce() if self.is_loopback else None
        self.hears = False
        self.drops = 0
        self._targets: list[bpf.Target] = []

    def add(self, target: bpf.Target) -> None:
        """Hear this server too, from now on."""
        if target not in self._targets:
            self._targets.append(target)
            nonce = self.nonce.target if self.nonce else None
            bpf.attach(self.socket, bpf.program(self._targets, ethernet=self.link_type == ETHERNET, nonce=nonce))
        if not self.hears:
            self.socket.bind((self.interface, ETH_P_ALL))
            self.hears = True
            if self.nonce is None:
                with contextlib.closing(Nonce()) as elsewhere:
                    elsewhere.await_times(_PROOF_S)

    def prove(self, patience_s: float) -> tuple[list[Captured], bool]:
        """Send nonces to oneself until one is seen; frames read meanwhile, and whether it was.

        A kernel that has only just been asked for times stamps its first frames when they
        are read, so a nonce counts only if its time is not later than the end of its sending.
        On other interfaces than loopback no nonce is seen: there bind() having returned is
        the proof, and times are awaited apart.
        """
        if self.nonce is None:
            return self.drain(), True
        found: list[Captured] = []
        until = time.monotonic() + patience_s
        while time.monotonic() < until:
            self.nonce.send()
            await_frames([self.socket], 0.02)
            proven = False
            for frame in self.drain():
                sent_ns = self.nonce.sent_ns(frame.data)
                if sent_ns is None:
                    found.append(frame)
                else:
                    proven |= frame.time_ns <= sent_ns
            if proven:
                return found, True
        return found, False

    def drain(self) -> list[Captured]:
        """Everything that has arrived."""
        found: list[Captured] = []
        while batch := self.reader.read():
            found += batch
        return found

    def close(self) -> None:
        self.drops += drops_of(self.socket)
        self._scapy.close()
        if self.nonce:
            self.nonce.close()


def _open_deaf(interface: str) -> L2ListenSocket:
    """scapy's listening socket on an interface, with protocol 0: it hears nothing yet.

    A socket made with ETH_P_ALL hears all interfaces until it is bound; type 0 reaches
    socket() and scapy's own bind() and leaves both without a protocol.

    Raises: NotPermitted.
    """
    if sys.platform != "linux":
        raise NotPermitted(reason="platform", interface=interface)
    logging.getLogger("scapy").setLevel(logging.ERROR)  # it warns of what it cannot guess
    from scapy.arch.linux import L2ListenSocket  # 0.1 s: paid only where packets are sniffed

    try:
        return L2ListenSocket(iface=interface, type=0, promisc=False, nofilter=1)
    except PermissionError as error:
        raise NotPermitted(reason="no-capture-right", interface=interface) from error
    except OSError as error:
        name = errno.errorcode.get(error.errno or 0, "EIO")
        raise NotPermitted(reason=name, interface=interface) from error
    except ValueError as error:
        raise NotPermitted(reason="no-interface", interface=interface) from error


class Sniffer:
    """Listens where a connect() was announced; hands on the frames of our connections.

    `listen`, `opened` and `finish` come from the client's thread, `take` from another.
    """

    def __init__(self, interface: str | None = None) -> None:
        self._interface = interface
        self.interfaces: list[str] = []
        """Where it listens, in the order of first use; it grows."""
        self._listeners: dict[str, Listener] = {}
        self._ours = Ours()
        self._undecided: deque[Captured] = deque()
        self._ready: list[Captured] = []
        self._ready_bytes = 0
        self._lock = threading.Lock()
        self._waker: tuple[socket.socket, socket.socket] | None = None
        self._thread: threading.Thread | None = None
        self._stopping = False
        self.was_proven = True
        """Every proof of listening succeeded."""

    @property
    def drops(self) -> int:
        """Frames that the kernel dropped for want of room; known whole after `finish`."""
        return sum(listener.drops for listener in self._listeners.values())

    def listen(self, address: str, port: int) -> None:
        """Hear the connection that is about to be opened; returns when it is heard.

        Raises: NotPermitted.
        """
        interface = self._interface or interface_for(address)
        if not interface:
            raise NotPermitted(reason="no-route", interface=address)
        with self._lock:
            self._ours.announce(address, port)
        try:
            self._hear(interface, bpf.Target(address, port))
        except BaseException:
            self.opened(address, port, "", 0)
            raise

    def _hear(self, interface: str, target: bpf.Target) -> None:
        listener = self._listeners.get(interface)
        if listener is not None:
            listener.add(target)
            return
        listener = Listener(interface, len(self.interfaces))
        try:
            listener.add(target)
            found, proven = listener.prove(_PROOF_S)
            if not proven:
                raise NotPermitted(reason="not-heard", interface=interface)
        except OSError as error:
            listener.close()
            name = errno.errorcode.get(error.errno or 0, "EIO")
            raise NotPermitted(reason=name, interface=interface) from error
        except BaseException:
            listener.close()
            raise
        self._take_in(found)
        with self._lock:
            self._listeners[interface] = listener
            self.interfaces.append(interface)
        if self._waker is None:
            self._waker = socket.socketpair()
            self._thread = threading.Thread(target=self._read, args=self._waker[:1], name="sniffer", daemon=True)
            self._thread.start()
        self._wake()

    def opened(self, address: str, port: int, local_address: str, local_port: int) -> None:
        """The announced connect() has begun from there; local_port 0: it did not."""
        with self._lock:
            self._ours.open(address, port, local_address, local_port)
            self._settle()

    def take(self) -> list[Captured]:
        """Frames of ours since the last time, in capture order."""
        with self._lock:
            ready, self._ready, self._ready_bytes = self._ready, [], 0
        return ready

    @property
    def waiting_bytes(self) -> int:
        """What `take` would give now."""
        return self._ready_bytes

    def finish(self, grace_s: float) -> bool:
        """Stop listening once all our connections are closed, or after a grace.

        Frames may be taken afterwards. True: all that was to be seen was seen.
        """
        self._stop_reading()
        listeners = list(self._listeners.values())
        # Only what has been read can be judged: a connection may seem unanswered before.
        self._prove(listeners)
        until = time.monotonic() + grace_s
        while not self._ours.are_over and (left_s := until - time.monotonic()) > 0:
            ready = await_frames([each.socket for each in listeners], left_s)
            self._prove([each for each in listeners if each.socket in ready], patience_s=0)
        self._prove(listeners)
        for listener in listeners:
            listener.close()
        return self.was_proven and self._ours.are_over

    def _stop_reading(self) -> None:
        self._stopping = True
        self._wake()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        for end in self._waker or ():
            end.close()
        self._waker = None

    def _prove(self, listeners: Sequence[Listener], patience_s: float = _LAST_PROOF_S) -> None:
        """Take in all that has arrived until now; `patience_s` 0: without the proof of it."""
        for listener in listeners:
            try:
                found, proven = listener.prove(patience_s) if patience_s else (listener.drain(), True)
            except OSError:  # the interface is gone, and what came last with it
                found, proven = [], False
            self._take_in(found)
            self.was_proven &= proven

    # -- the reading thread --------------------------------------------------------------

    def _wake(self) -> None:
        if self._waker is not None:
            self._waker[1].send(b"!")

    def _read(self, waker: socket.socket) -> None:
        poll = select.poll()
        poll.register(waker, select.POLLIN)
        readers: dict[int, Listener] = {}
        while not self._stopping:
            for fd, events in poll.poll():
                if fd == waker.fileno():
                    waker.recv(4096)
                    continue
                try:
                    self._take_in(readers[fd].reader.read())
                except OSError:  # the interface went down: what came before was read
                    self.was_proven = False
                    if events & (select.POLLERR | select.POLLHUP | select.POLLNVAL):
                        poll.unregister(fd)
            with self._lock:
                new = [each for each in self._listeners.values() if each.socket.fileno() not in readers]
            for listener in new:
                readers[listener.socket.fileno()] = listener
                poll.register(listener.socket, select.POLLIN)

    def _take_in(self, frames: list[Captured]) -> None:
        """Judge what was read; keep what is ours."""
        if not frames:
            return
        with self._lock:
            self._undecided.extend(frames)
            self._settle()

    def _settle(self) -> None:
        """Let frames go on, in order, up to the first that cannot be judged yet; with the lock."""
        while self._undecided:
            frame = self._undecided[0]
            segment = peek(frame.data, 14 if frame.link_type == ETHERNET else 0)
            verdict = Verdict.OTHERS if segment is None else self._ours.judge(segment)
            if verdict is Verdict.UNKNOWN:
                break
            self._undecided.popleft()
            if verdict is Verdict.OURS:
                self._ready.append(frame)
                self._ready_bytes += len(frame.data)
