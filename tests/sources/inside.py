"""Run as a process of its own, by an ordinary user: client, server and sniffer in a namespace.

Prints as JSON what was captured there; with the argument `pytest`, runs the tests marked `sniff`.
"""

from __future__ import annotations

import json
import os
import sys

from inspect_cli.sources import rights


def main() -> int:
    before = rights.may_capture()
    rights.go_inside()
    # Not earlier: numpy starts threads, and then unshare() is refused.
    if sys.argv[1:] == ["pytest"]:
        import pytest

        return pytest.main(["-q", "-p", "no:cacheprovider", "-m", "sniff", "tests/sources"])
    from tests.sources.servers import http, response, serving
    from tests.sources.test_live import asking, flags, observed

    with serving(http(lambda _: response(b"x" * 100_000))) as server:
        live, items = observed(asking(server.url, f"{server.url}/two"))
    told = {
        "before": before,
        "uid": os.getuid(),
        "error": str(live.error),
        "source": live.capture.source,
        "complete": live.capture.complete,
        "drops": live.drops,
        "flags": flags(items, server.port),
    }
    sys.stdout.write(json.dumps(told))
    return 0


if __name__ == "__main__":
    sys.exit(main())
