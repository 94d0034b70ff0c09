"""What reaches the terminal, and what a pipe."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest

from bridge.cli import output
from tests.cli.conftest import Cli
from tests.processes import Bridge, person

ESCAPES = re.compile(rb"\x1b\[[0-9;?]*[A-Za-z]")


def on_a_terminal(bridge: Bridge, *arguments: str, columns: int = 80) -> bytes:
    """Everything that a command writes to a terminal of that width."""
    main, side = pty.openpty()
    environment = {**bridge.environment, "TERM": "xterm", "COLUMNS": str(columns)}
    process = subprocess.Popen(
        [sys.executable, "-m", "bridge", *arguments],
        cwd=bridge.folder, env=environment, stdin=side, stdout=side, stderr=side,
    )  # fmt: skip
    os.close(side)
    written = b""
    try:
        while chunk := os.read(main, 65_536):
            written += chunk
    except OSError:
        pass  # how Linux says that the other end is closed
    os.close(main)
    process.wait(60)
    return written


@pytest.mark.parametrize("columns", [80, 120])
def test_tables_fit_the_terminal_and_keep_their_columns_whole(bridge: Bridge, columns: int) -> None:
    bridge.edit("reason: employed", "reason: " + "employed by the company " * 6)
    assert bridge.run("sync").returncode == 0
    written = on_a_terminal(bridge, "people", columns=columns)
    lines = ESCAPES.sub(b"", written).decode().splitlines()
    assert max(len(line.rstrip()) for line in lines) <= columns
    assert sum("p3@example.com" in line for line in lines) == 1


@pytest.mark.parametrize("columns", [20, 80])
def test_nothing_is_lost_from_a_table_beside_a_long_name(bridge: Bridge, columns: int) -> None:
    bridge.rows = {"P1": person(1, mail=f"{'q' * 85}@example.com")}
    bridge.write()
    assert bridge.run("sync").returncode == 0
    assert bridge.run("deactivate", "P1", "--reason", "stolen").returncode == 0
    headings = {
        "people": ("#", "userName", "Active", "Source", "Why"),
        "audit": ("When", "What", "Whom", "By", "Run", "Why"),
    }
    for command, words in headings.items():
        written = ESCAPES.sub(b"", on_a_terminal(bridge, command, columns=columns)).decode()
        lines = written.splitlines()
        assert all(word in lines[0] for word in words)
        assert written.count("q") % 85 == 0
        assert "stolen" in written
        assert columns < 80 or max(len(line.rstrip()) for line in lines) <= columns


def test_a_row_is_a_line_where_the_output_is_no_terminal(bridge: Bridge) -> None:
    bridge.edit("reason: employed", "reason: " + "employed by the company " * 6)
    bridge.run("sync")
    lines = bridge.run("people").stdout.splitlines()
    assert len(lines) == 6
    assert all(line == line.rstrip() for line in lines)


def test_colours_and_the_live_line_are_for_terminals_alone(bridge: Bridge) -> None:
    ran = bridge.run("sync", "nosuch")
    assert "\x1b" not in ran.stderr
    assert b"\x1b[31m" in on_a_terminal(bridge, "sync", "nosuch")
    written = on_a_terminal(bridge, "sync")
    assert b'"step"' not in written
    assert b"Published 5 people" in written


def test_what_a_reader_leaves_unread_is_no_fault(bridge: Bridge) -> None:
    bridge.rows = {f"P{n}": person(n) for n in range(3000)}
    bridge.write()
    bridge.run("sync")
    process = subprocess.Popen(
        [sys.executable, "-m", "bridge", "people", "--limit", "3000", "--json"],
        cwd=bridge.folder, env=bridge.environment, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stderr is not None
    with process, process.stdout, process.stderr:
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == ""
    assert process.returncode == 0


HOSTILE = "\x1b[2J\x9b31mred\u202egnp\x07\nFORGED\r\u2028FORGED"


def test_nothing_that_people_are_called_commands_the_terminal(cli: Cli) -> None:
    cli("sync")
    cli("deactivate", "P3", "--reason", HOSTILE)
    for command in ("people", "why P3", "why P3 --all", "override list", "status"):
        ran = cli(*command.split())
        assert not re.search("[\x1b\x9b\x07\u202e\r\u2028]", ran.out + ran.err)
        assert not re.search("^FORGED", ran.out + ran.err, re.MULTILINE)
    [row] = cli("people", "P3", "--json").json
    assert row["reason"].endswith(HOSTILE)  # whole, and nevertheless harmless
    assert not re.search("[\x1b\x9b\x07\u202e]", cli("people", "P3", "--json").out)


def test_no_value_of_a_source_begins_a_line_of_its_own(cli: Cli) -> None:
    cli.bridge.rows |= {
        "P8": person(8) | {"id": "P8\nFORGED", "dept": "Sales\nFORGED", "first": "Zoe\nFORGED"},
        "P9": person(9) | {"id": "P9\nFORGED", "end": "no day\nFORGED"},
    }
    cli.bridge.write()
    cli("sync")
    cli.bridge.edit("employed", "employed here")
    for command in ("people", "why p8@example.com --all", "status", "preview hr", "audit", "sync"):
        ran = cli(*command.split())
        assert not re.search("^FORGED", ran.out + ran.err, re.MULTILINE), command
    assert "Zoe\N{SYMBOL FOR NEWLINE}FORGED" in cli("why", "p8@example.com").out


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(5, "just now"), (60, "1 minute ago"), (7_300, "2 hours ago"), (90_000, "1 day ago")],
)
def test_moments_are_told_in_the_largest_unit(seconds: int, words: str) -> None:
    assert output.ago(datetime.now(UTC) - timedelta(seconds=seconds)) == words


def test_a_moment_that_never_was_is_never() -> None:
    assert output.ago(None) == "never"
