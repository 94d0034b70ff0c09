"""The bridge as real processes, in a folder of its own, for tests of what only processes do."""

from __future__ import annotations

import csv
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from bridge.store import Store

ROOT = Path(__file__).parents[1]
PATIENCE = 60.0
"""Seconds after which what a test waits for will not come; never a measure of speed."""

MAPPING = """\
version: 1
name: hr
source:
  type: csv
  path: people.csv
  settle: 0 seconds
  columns: { id: id, first: first, last: last, mail: mail, dept: dept, end: end }
  require: [id, mail]
schedule: { changes: 1 second, full: every 6 hours }
timezone: UTC
vars:
  ends: end | datetime('%Y-%m-%d %H:%M:%S')
key: id
external_id: id
active:
  rules:
    - { when: ends <= now, then: false, reason: last day has passed }
  otherwise: { then: true, reason: employed }
user:
  userName: { expr: mail | lower, required: true }
  name:
    givenName: { expr: first, required: true }
    familyName: { expr: last, required: true }
  emails:
    - { value: mail | lower, type: work, primary: true }
enterprise:
  department: dept
limits: { first_load: publish }
"""

HEADINGS = ("id", "first", "last", "mail", "dept", "end")


def wait_until(happened: Callable[[], Any], what: str) -> Any:
    """The first true answer of ``happened``."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if answer := happened():
            return answer
        time.sleep(0.05)
    raise AssertionError(f"waited in vain for {what}")


@dataclass
class Running:
    """A process of the bridge that was started, and what it has printed so far."""

    process: subprocess.Popen[str]
    out: list[str] = field(default_factory=list)
    err: list[str] = field(default_factory=list)
    readers: list[threading.Thread] = field(default_factory=list)

    def __post_init__(self) -> None:
        for stream, lines in ((self.process.stdout, self.out), (self.process.stderr, self.err)):
            reader = threading.Thread(target=lines.extend, args=(stream,), daemon=True)
            reader.start()
            self.readers.append(reader)

    def wait_for(self, text: str) -> str:
        """The first line, on either stream, that holds ``text``."""

        def found() -> str | None:
            if self.process.poll() is not None:
                for reader in self.readers:
                    reader.join()
            lines = [*self.out, *self.err]
            line = next((line for line in lines if text in line), None)
            if line is None and self.process.poll() is not None:
                raise AssertionError(f"ended with {self.process.returncode}: {''.join(lines)}")
            return line

        return str(wait_until(found, repr(text)))

    def logged(self, event: str) -> list[dict[str, Any]]:
        """The lines of the JSON log about an event."""
        lines = [json.loads(line) for line in list(self.err) if line.startswith("{")]
        return [line for line in lines if line.get("event") == event]

    def send(self, signum: int) -> None:
        self.process.send_signal(signum)

    def end(self, signum: int = signal.SIGTERM) -> int:
        """Ask it to end, and return its exit code."""
        self.send(signum)
        return self.wait()

    def wait(self) -> int:
        code = self.process.wait(PATIENCE)
        for reader in self.readers:
            reader.join()
        return code


@dataclass
class Bridge:
    """A folder with mappings, an export and a store, and the bridge that runs in it."""

    folder: Path
    rows: dict[str, dict[str, str]] = field(default_factory=dict)
    settings: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.file.parent.mkdir()
        self.file.write_text(MAPPING)
        for number in range(1, 6):
            self.rows[f"P{number}"] = person(number)
        self.write()
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.settings["BRIDGE_LISTEN"] = f"127.0.0.1:{free.getsockname()[1]}"

    @property
    def file(self) -> Path:
        return self.folder / "mappings" / "hr.yaml"

    @property
    def export(self) -> Path:
        return self.folder / "mappings" / "people.csv"

    @property
    def database(self) -> Path:
        return self.folder / "var" / "bridge.db"

    @property
    def base(self) -> str:
        return f"http://{self.settings['BRIDGE_LISTEN']}/scim/v2"

    @property
    def environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if "BRIDGE_" not in name}
        return {**kept, "PYTHONPATH": str(ROOT), "COLUMNS": "80", **self.settings}

    def write(self) -> None:
        """Write the export at once, as a good exporter does."""
        new = self.export.with_suffix(".part")
        with new.open("w", newline="") as file:
            writer = csv.DictWriter(file, HEADINGS)
            writer.writeheader()
            writer.writerows(self.rows.values())
        new.replace(self.export)

    def edit(self, old: str, new: str) -> None:
        text = self.file.read_text()
        assert old in text
        self.file.write_text(text.replace(old, new))

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a command to its end."""
        return subprocess.run(
            [sys.executable, "-m", "bridge", *arguments],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            stdin=subprocess.DEVNULL,
            check=False,
        )

    def json(self, *arguments: str) -> Any:
        """What a command that succeeds prints as JSON."""
        ran = self.run(*arguments, "--json")
        assert ran.returncode == 0, ran.stderr
        return json.loads(ran.stdout)

    @contextmanager
    def start(self, *arguments: str, code: str = "") -> Iterator[Running]:
        """Start a command, or Python ``code`` that is one; it is gone when the block ends."""
        command: Sequence[str] = ["-c", code] if code else ["-m", "bridge", *arguments]
        process = subprocess.Popen(
            [sys.executable, *command],
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        running = Running(process)
        try:
            yield running
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGCONT)
                process.terminate()
                try:
                    process.wait(20)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()
            for reader in running.readers:
                reader.join()
            for stream in (process.stdout, process.stderr):
                assert stream is not None
                stream.close()

    @contextmanager
    def store(self) -> Iterator[Store]:
        """The store, as the processes see it."""
        store = Store.open(f"sqlite:///{self.database}")
        try:
            yield store
        finally:
            store.close()

    def people(self) -> Mapping[str, dict[str, Any]]:
        """Who is served, by key, as the command line tells."""
        return {row["key"]: row for row in self.json("people", "--limit", "1000")}

    def users(self, token: str, query: str = "?count=1000") -> httpx.Response:
        """What SCIM answers."""
        return httpx.get(
            f"{self.base}/Users{query}", headers={"Authorization": f"Bearer {token}"}, timeout=30
        )


def person(number: int, **changes: str) -> dict[str, str]:
    row = {
        "id": f"P{number}",
        "first": f"First{number}",
        "last": f"Last{number}",
        "mail": f"p{number}@example.com",
        "dept": "Sales",
        "end": "",
    }
    return row | changes


def children(pid: int) -> list[int]:
    """The processes that a process has started."""
    listed = subprocess.run(
        ["ps", "-A", "-o", "pid=,ppid="], capture_output=True, text=True, check=True
    )
    pairs = [tuple(map(int, line.split())) for line in listed.stdout.splitlines()]
    return [child for child, parent in pairs if parent == pid]


def role(running: Running, name: str) -> int:
    """The process of a role of `bridge serve`, once there is one."""

    def found() -> int | None:
        for pid in children(running.process.pid):
            listed = subprocess.run(
                ["ps", "-o", "args=", "-p", str(pid)], capture_output=True, text=True
            )
            if f"-m bridge {name} " in listed.stdout:
                return pid
        return None

    return int(wait_until(found, f"the {name} role"))


def is_alive(pid: int) -> bool:
    """Whether a process is there and is more than the remains of one."""
    found = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True)
    return found.stdout.strip()[:1] not in ("", "Z")
