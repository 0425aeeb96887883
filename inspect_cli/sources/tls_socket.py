"""TLS over a socket of ours: the socket calls stay ours, so each of them is told."""

from __future__ import annotations

import contextlib
import ssl

from inspect_cli.errors import TlsFailed, UsageProblem
from inspect_cli.events.base import Side
from inspect_cli.sources.client import ClientOptions
from inspect_cli.sources.own_socket import READ_BYTES, OwnSocket


def tls_context(options: ClientOptions) -> ssl.SSLContext:
    """A context of our own, with the machine's trust store or --cacert.

    Raises: UsageProblem, where a certificate or key file cannot be used.
    """
    try:
        context = ssl.create_default_context(cafile=options.cacert)
        if options.insecure:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        if options.cert:
            # A password would be asked for on the terminal: an empty one fails instead.
            context.load_cert_chain(options.cert, options.key, password="")
    except (OSError, ValueError) as error:
        raise UsageProblem(problem=f"certificate: {error}") from error
    return context


class TlsSocket:
    """The application's bytes inside TLS (RFC 9846); same methods as OwnSocket."""

    def __init__(self, below: OwnSocket, context: ssl.SSLContext, host: str) -> None:
        self.below = below
        self.patience = below.patience
        self._host = host
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        below.tell_plaintext_instead()
        try:
            self.tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname=host)
        except ValueError as error:
            raise TlsFailed(host=host, reason=str(error)) from error
        self.received_bytes = 0

    def handshake(self) -> None:
        """Raises: TlsFailed; OSError as the socket does."""
        while True:
            try:
                self.tls.do_handshake()
            except ssl.SSLWantReadError:
                self._flush()
                self._fill(None)
                continue
            except ssl.SSLError as error:
                with contextlib.suppress(OSError):
                    self._flush()  # the alert
                raise TlsFailed(host=self._host, reason=_reason(error)) from error
            self._flush()
            return

    def receive(self, max_bytes: int = READ_BYTES, limit_s: float | None = None) -> bytes | None:
        """Decrypted bytes, b"" at close_notify or the server's end; None: none within `limit_s`."""
        while True:
            try:
                data = self.tls.read(max_bytes)
            except ssl.SSLWantReadError:
                self._flush()
                if not self._fill(limit_s):
                    return None
                continue
            except (ssl.SSLZeroReturnError, ssl.SSLEOFError):
                data = b""
            except ssl.SSLError as error:
                raise TlsFailed(host=self._host, reason=_reason(error)) from error
            self.received_bytes += len(data)
            self.below.report_plaintext(Side.SERVER, data, ended=not data)
            return data

    def send(self, data: bytes) -> None:
        """Encrypt and send all of it."""
        if not data:
            return
        try:
            self.tls.write(data)
        except ssl.SSLError as error:
            raise TlsFailed(host=self._host, reason=_reason(error)) from error
        self.below.report_plaintext(Side.CLIENT, data)
        self._flush()

    def close(self) -> None:
        """close_notify (RFC 9846 §6.1) without waiting for the other one, then close()."""
        if self.below.is_closed:
            return
        self.below.report_plaintext(Side.CLIENT, b"", ended=True)
        with contextlib.suppress(ssl.SSLError):
            self.tls.unwrap()
        with contextlib.suppress(OSError):
            self._flush()
        self.below.close()

    @property
    def is_closed(self) -> bool:
        return self.below.is_closed

    @property
    def is_readable(self) -> bool:
        return self.below.is_readable

    def _flush(self) -> None:
        if data := self._outgoing.read():
            self.below.send(data)

    def _fill(self, limit_s: float | None) -> bool:
        data = self.below.receive(READ_BYTES, limit_s)
        if data is None:
            return False
        if data:
            self._incoming.write(data)
        else:
            self._incoming.write_eof()
        return True


def _reason(error: ssl.SSLError) -> str:
    """What OpenSSL says, without file and line."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return error.verify_message or "certificate verify failed"
    return (error.reason or str(error)).replace("_", " ").lower()
