"""Clients whose way with cookies is another one than RFC 6265bis with other numbers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from inspect_cli.cookies import like_cookiejar, like_curl, send_clients

DECIDE_STORE: Final = {"cookiejar": like_cookiejar.decide_store, "curl": like_curl.decide_store}
"""By `Profile.flavour`; as store.decide_store."""

ORDER_OF: Final[dict[str, Callable[[Sequence[bytes], int], list[int] | None]]] = {"cookiejar": like_cookiejar.order_of}
"""In which order the lines of one response count (`Profile.reads_whole_answers`)."""

SEND_RULES: Final = {
    "cookiejar-domain": send_clients.cookiejar_domain,
    "cookiejar-path": send_clients.cookiejar_path,
    "curl-domain": send_clients.curl_domain,
    "curl-path": send_clients.curl_path,
}
"""Names that `Profile.send_order` may hold besides those of send.RULES."""
