from __future__ import annotations

import pytest

from inspect_cli.sources.rights import may_capture


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What needs packets is skipped, with the kernel's reason, where they cannot be had."""
    reason = may_capture()
    for item in items:
        if reason and item.get_closest_marker("sniff") and item.path.parent.name == "sources":
            item.add_marker(pytest.mark.skip(reason=f"may not capture: {reason}"))
