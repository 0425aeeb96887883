"""What `doctor` says: each no with what to paste."""

from __future__ import annotations

from inspect_cli.cli.examining import report
from inspect_cli.sources.rights import Check, checks
from inspect_cli.texts import Words

REFUSED = Check(
    "namespace",
    False,
    {"step": "uid_map", "kernel.apparmor_restrict_unprivileged_userns": "1", "user.max_user_namespaces": "15000"},
)
FILE = "trace.pcapng"


def test_a_no_comes_with_its_remedy() -> None:
    got = report([Check("capture", False, {"reason": "no-capture-right"}), REFUSED], Words("en")).splitlines()

    assert got == [
        "no   capture packets of any target: no right to capture",
        '     > sudo "$(command -v inspect-cli)" cookie-trace URL',
        f"     > dumpcap -i any -w {FILE}   (as a member of the group wireshark), then: inspect-cli replay {FILE}",
        "no   capture the practice server's packets without rights, in a namespace: the kernel refuses it (uid_map)",
        "     > sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0",
        "     > in a container: start it with --cap-add NET_RAW, or with a seccomp profile that allows unshare",
    ]


def test_what_is_no_linux_is_told_what_works_there() -> None:
    got = report([Check("capture", False, {"reason": "platform"})], Words("en"))

    assert "replay reads capture files" in got.splitlines()[1]
    assert "sudo" not in got


def test_what_could_not_be_tried_is_not_called_a_no() -> None:
    assert report([Check("ignore-outgoing", False, {"kernel": "6.1", "tried": "untried"})], Words("en")) == ""


def test_every_check_of_this_machine_has_words() -> None:
    found = checks()
    for words in (Words("en"), Words("ko")):
        for check in found:
            for part in ("name", "found", "why"):
                assert words.has(f"cli.doctor.{check.code}.{part}")
        assert report(found, words)
