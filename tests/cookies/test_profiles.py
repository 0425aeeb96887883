from __future__ import annotations

from inspect_cli.cookies.profiles import PROFILES


def test_the_draft_is_a_profile_and_keeps_its_minimums() -> None:
    """6265bis §6.1, §5.5."""
    profile = PROFILES["rfc6265bis"]
    assert (50, 3000, 400 * 86_400) == (profile.max_per_domain, profile.max_total, profile.max_lifetime_s)
    assert all(name == profile.name for name, profile in PROFILES.items())


def test_the_profiles_are_six_and_stand_in_the_order_of_the_columns() -> None:
    assert ["rfc6265bis", "chromium", "firefox", "safari", "curl", "python"] == list(PROFILES)
    assert PROFILES["safari"].unknown_limits
