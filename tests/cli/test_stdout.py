"""Output that cannot be written, or that nobody reads, or that lacks a character."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime

import pytest

from bridge.store import audit
from bridge.store.audit import Happened
from tests.processes import PATIENCE, Bridge

COMMANDS = ("audit --export", "people", "--help")


def shell(bridge: Bridge, line: str) -> subprocess.CompletedProcess[str]:
    """Run a line of bash in which ``bridge`` is the command."""
    command = f'bridge() {{ "{sys.executable}" -m bridge "$@"; }}; {line}'
    return subprocess.run(
        ["bash", "-c", command], cwd=bridge.folder, env=bridge.environment,
        capture_output=True, text=True, timeout=PATIENCE, check=False,
    )  # fmt: skip


@pytest.fixture
def company(bridge: Bridge) -> Bridge:
    """People who are served, one under a name beyond ASCII, and a long audit."""
    bridge.edit("reason: employed", "reason: beschäftigt 😀")
    bridge.run("sync")
    with bridge.store() as store, store.write() as connection:
        audit.add(connection, [Happened(datetime.now(UTC), "test", "created")] * 2000)
    return bridge


@pytest.mark.parametrize("command", COMMANDS)
def test_output_that_cannot_be_written_is_told_and_no_fault_of_the_bridge(
    company: Bridge, command: str
) -> None:
    ran = shell(company, f"bridge {command} > /dev/full")
    assert "the output cannot be written: No space left on device\n" in ran.stderr
    assert (ran.returncode, "fault" in ran.stderr, "xception" in ran.stderr) == (9, False, False)


@pytest.mark.parametrize("command", COMMANDS)
def test_output_that_is_closed_cannot_be_written(company: Bridge, command: str) -> None:
    ran = shell(company, f"bridge {command} >&-")
    assert "the output cannot be written: Bad file descriptor\n" in ran.stderr
    assert (ran.returncode, "fault" in ran.stderr, "xception" in ran.stderr) == (9, False, False)


@pytest.mark.parametrize("command", COMMANDS)
def test_whoever_has_read_enough_ends_the_command_well(company: Bridge, command: str) -> None:
    ran = shell(company, f"bridge {command} | head -n 1; echo ${{PIPESTATUS[0]}}")
    assert ran.stdout.splitlines()[-1] == "0"
    assert ran.stderr in ("", "These are the first 50: --limit shows more.\n")


def test_errors_that_go_nowhere_change_no_exit_code(company: Bridge) -> None:
    assert shell(company, "bridge people --limit 2 2>&-").returncode == 0
    assert shell(company, "bridge people --source nosuch 2>&-").returncode == 2


def test_what_the_encoding_lacks_is_escaped(company: Bridge) -> None:
    company.settings["PYTHONIOENCODING"] = "ascii"
    ran = company.run("people")
    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout.count("besch\\xe4ftigt \\U0001f600") == 5
    assert company.json("people")[0]["reason"] == "beschäftigt 😀"
    assert json.loads(company.run("audit", "--export").stdout.splitlines()[0])
