"""Secrets replaced by short tokens, the same secret by the same one."""

from __future__ import annotations

from hashlib import blake2b
from typing import Final, Literal

from inspect_cli.events.base import Secret

Policy = Literal["none", "credentials", "all"]
"""Which kinds of Secret are replaced: nothing, Authorization and passwords, or every kind."""

CREDENTIALS: Final[frozenset[str]] = frozenset({"authorization", "password"})

REMEMBERED: Final = 1 << 18
"""Different secrets that get a number; those that come later share one token without."""

_DIGEST_FROM: Final = 32
"""Bytes of a secret from which on its digest is remembered instead (a bound for memory)."""


def policy_for(*, to_file: bool, redact: bool = False, show_secrets: bool = False) -> Policy:
    """What is redacted by default and by `--redact` and `--show-secrets`.

    The terminal shows what one came to see, credentials apart; a file is meant to be shared.
    """
    if show_secrets:
        return "none"
    return "all" if redact or to_file else "credentials"


class Redactor:
    """Replaces secrets in one run. Looks at values of type Secret only, never at prose.

    Tokens are numbered by first appearance in the run, each kind for itself: `<cookie 1>`.
    They are neither hashes nor random, so they tell nothing and two runs give the same ones.
    """

    __slots__ = ("_counts", "_tokens", "policy")

    def __init__(self, policy: Policy) -> None:
        self.policy: Policy = policy
        self._tokens: dict[tuple[str, bytes], bytes] = {}
        self._counts: dict[str, int] = {}

    def hides(self, kind: str) -> bool:
        """Say whether this kind of secret is replaced."""
        return self.policy == "all" or (self.policy == "credentials" and kind in CREDENTIALS)

    def shown(self, secret: Secret) -> bytes:
        """The secret as it may be shown: itself, or with tokens where its secret parts stand."""
        if not self.hides(secret.kind):
            return secret.value
        if secret.form == "pairs":
            return b";".join([self._pair(part, secret.kind) for part in secret.value.split(b";")])
        if secret.form == "set-cookie":
            pair, semicolon, attributes = secret.value.partition(b";")
            return self._pair(pair, secret.kind) + semicolon + attributes
        if secret.form == "scheme":
            scheme, space, credentials = secret.value.partition(b" ")
            return scheme + space + self._token(credentials, secret.kind) if space else self._token(scheme, secret.kind)
        return self._token(secret.value, secret.kind)

    def _pair(self, pair: bytes, kind: str) -> bytes:
        """`name=value` with the value replaced; without a `=` all of it is the value.

        Trimmed as 6265bis §5.6 does, so that the token is that of the same value in the jar.
        """
        name, equals, value = pair.partition(b"=")
        if not equals:
            name, value = b"", pair
        bare = value.strip(b" \t")
        if not bare:
            return pair
        before = value[: len(value) - len(value.lstrip(b" \t"))]
        after = value[len(value.rstrip(b" \t")) :]
        return name + equals + before + self._token(bare, kind) + after

    def _token(self, value: bytes, kind: str) -> bytes:
        if not value:
            return value
        key = (kind, value if len(value) <= _DIGEST_FROM else blake2b(value, digest_size=_DIGEST_FROM + 1).digest())
        token = self._tokens.get(key)
        if token is not None:
            return token
        if len(self._tokens) >= REMEMBERED:
            return b"<%s>" % kind.encode()
        number = self._counts.get(kind, 0) + 1
        self._counts[kind] = number
        return self._tokens.setdefault(key, b"<%s %d>" % (kind.encode(), number))
