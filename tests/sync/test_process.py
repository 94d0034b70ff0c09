"""A process that is gone is told from one that is alive, or of which nobody can know."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bridge.errors import LeaseHeld
from bridge.store import Store, lease
from bridge.sync import process
from bridge.sync.leadership import leadership
from tests.store.company import NOON

linux = pytest.mark.skipif(not Path("/proc/self/ns/pid").exists(), reason="needs Linux's /proc")


@pytest.fixture
def other() -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Another process of this machine, and its mark."""
    code = "from bridge.sync import process; print(process.mark(), flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as started:
        assert started.stdout is not None
        yield started, started.stdout.readline().strip()
        started.kill()


@linux
def test_a_process_is_gone_as_soon_as_it_was_killed(
    other: tuple[subprocess.Popen[str], str],
) -> None:
    started, mark = other
    assert not process.is_gone(mark)
    started.kill()
    os.waitid(os.P_PID, started.pid, os.WEXITED | os.WNOWAIT)
    assert process.is_gone(mark)  # although its parent has not asked for its exit code yet
    started.wait()
    assert process.is_gone(mark)


@linux
def test_another_process_with_the_same_number_is_not_mistaken_for_it() -> None:
    kernel, namespace, pid, started = process.mark().split()
    assert not process.is_gone(f"{kernel} {namespace} {pid} {started}")
    assert process.is_gone(f"{kernel} {namespace} {pid} {int(started) + 1}")


@linux
@pytest.mark.parametrize("part", [0, 1], ids=["another start of the machine", "another container"])
def test_a_process_that_cannot_be_seen_from_here_is_never_called_gone(part: int) -> None:
    parts = process.mark().split()
    parts[2] = "999999999"
    assert process.is_gone(" ".join(parts))
    parts[part] += "x"
    assert not process.is_gone(" ".join(parts))


@pytest.mark.parametrize("mark", ["", "a b", "a b c d", "a b c d e"])
def test_what_is_no_mark_is_nobody_who_is_gone(mark: str) -> None:
    assert not process.is_gone(mark)


def test_a_system_without_proc_has_no_marks(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(process, "_PROC", tmp_path)
    assert process.mark() == ""
    assert not process.is_gone("kernel pid:[1] 999999999 1")


@linux
def test_the_lease_of_a_process_that_is_gone_is_taken_at_once(
    tmp_path: Path, other: tuple[subprocess.Popen[str], str]
) -> None:
    started, mark = other
    store = Store.open(f"sqlite:///{tmp_path}/bridge.db")
    with store.write() as connection:
        first = lease.acquire(connection, "another", NOON, process=mark)
    with pytest.raises(LeaseHeld), leadership(store, lambda: NOON):
        pass
    started.kill()
    started.wait()
    with leadership(store, lambda: NOON) as epoch:
        assert epoch == first + 1
    store.close()
