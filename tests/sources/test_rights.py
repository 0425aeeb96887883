"""Rights as the kernel of this machine gives or refuses them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

import pytest

from inspect_cli.sources import rights

ROOT = Path(__file__).parents[2]
NOBODY = 65534
PATIENCE_S = 30


@cache
def as_ordinary_user() -> tuple[str, Mapping[str, str]] | None:
    """An interpreter that a user without rights may run, with what it needs to find our modules."""
    paths = [str(ROOT), *(path for path in sys.path if path.endswith("site-packages"))]
    environment = {"PYTHONPATH": os.pathsep.join(paths), "PATH": os.defpath, "PYTHONDONTWRITEBYTECODE": "1"}
    if os.getuid() != 0:
        return sys.executable, {**os.environ, **environment}
    name = f"python3.{sys.version_info.minor}"
    for interpreter in (sys.executable, shutil.which(name, path=os.defpath)):
        if interpreter and _run(interpreter, ["-c", "import numpy, scapy, httpx, pytest"], environment).returncode == 0:
            return interpreter, environment
    return None


def _run(
    interpreter: str, arguments: Sequence[str], environment: Mapping[str, str]
) -> subprocess.CompletedProcess[str]:
    user = {"user": NOBODY, "group": NOBODY, "extra_groups": ()} if os.getuid() == 0 else {}
    try:
        return subprocess.run(
            [interpreter, *arguments],
            cwd=ROOT,
            env=dict(environment),
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=False,
            **user,  # type: ignore[call-overload]
        )
    except PermissionError as error:
        return subprocess.CompletedProcess([interpreter], 126, "", str(error))


def ordinary(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run Python as an ordinary user; skips where there is no such interpreter or no namespace."""
    found = as_ordinary_user()
    if found is None:
        pytest.skip("no interpreter here that another user may run")
    return _run(found[0], arguments, found[1])


def refused() -> str:
    """The step at which the kernel refuses an ordinary user a namespace, or ""."""
    done = ordinary("-m", "inspect_cli.sources.rights", "--try", "namespace")
    return str(json.loads(done.stdout)["step"])


def test_the_right_to_capture_is_told_as_it_is() -> None:
    reason = rights.may_capture()
    assert reason in ("", "no-capture-right", "platform")
    if os.getuid() == 0 and sys.platform == "linux" and os.environ.get(rights.INSIDE) is None:
        assert reason == ""


def test_an_ordinary_user_may_not_capture() -> None:
    done = ordinary("-c", "from inspect_cli.sources import rights; print(rights.may_capture())")
    assert (done.stdout.strip(), done.stderr) == ("no-capture-right", "")


def test_inside_a_namespace_an_ordinary_user_sees_real_packets() -> None:
    if step := refused():
        pytest.skip(f"this kernel refuses namespaces at: {step}")
    done = ordinary("-m", "tests.sources.inside")
    assert done.stderr == ""
    assert json.loads(done.stdout) == {
        "before": "no-capture-right",
        "uid": 0,
        "error": "None",
        "source": "live",
        "complete": True,
        "drops": 0,
        "flags": [["client", 2], ["server", 2], ["client", 1], ["server", 1]],
    }


def test_who_may_not_capture_runs_the_sniffing_tests_inside() -> None:
    """So that nothing is left untried where a namespace can be had."""
    if rights.may_capture() == "":
        return  # they have run in this process
    if step := refused():
        pytest.skip(f"this kernel refuses namespaces at: {step}")
    done = ordinary("-m", "tests.sources.inside", "pytest")
    assert done.returncode == 0, done.stdout


def test_entering_becomes_the_command_inside() -> None:
    if step := refused():
        pytest.skip(f"this kernel refuses namespaces at: {step}")
    done = ordinary("-c", "from inspect_cli.sources import rights; rights.enter_namespace(['--version'])")
    assert done.returncode == 0
    assert "0.1.0" in done.stdout


def test_trying_leaves_this_process_where_it_was() -> None:
    before = os.getuid(), rights.may_capture()
    assert rights.namespace_possible() in ("", "platform", "unshare", "setgroups", "uid_map", "gid_map", "loopback")
    assert (os.getuid(), rights.may_capture()) == before
    assert not rights.is_inside()


def test_a_refusal_names_its_step() -> None:
    """A child that already has a second thread is refused by unshare()."""
    program = (
        "import threading; e = threading.Event(); t = threading.Thread(target=e.wait); t.start()\n"
        "from inspect_cli.sources import rights\n"
        "try: rights.go_inside()\n"
        "except rights.NamespaceRefused as error: print(error.data['step'], error.data['errno'])\n"
        "e.set()"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE_S, check=False
    )
    assert done.stdout == "unshare EINVAL\n"


def test_the_module_starts_no_thread_and_loads_nothing_heavy() -> None:
    program = (
        "import sys, os; from inspect_cli.sources import rights\n"
        "heavy = [name for name in ('numpy', 'scapy', 'httpx', 'click') if name in sys.modules]\n"
        "print(len(os.listdir('/proc/self/task')), heavy)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE_S, check=False
    )
    assert done.stdout == "1 []\n"


def test_checks_try_each_thing() -> None:
    found = {check.code: check for check in rights.checks()}
    assert list(found) == ["capture", "namespace", "interfaces", "libpcap", "ignore-outgoing"]
    assert found["capture"].ok == (rights.may_capture() == "")
    assert "lo" in str(found["interfaces"].data["names"]).split(", ")
    if found["capture"].ok or found["namespace"].ok:
        assert found["ignore-outgoing"].data["tried"] in ("yes", "no")
