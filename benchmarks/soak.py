"""A simulated month against a real directory: churn, imports and restarts of anything.

    python -m benchmarks.soak [--days 30] [--seconds 120] [--people 1000] [--seed 1]

Each day people join, leave, are locked and let in again, get another mail, and move out of the
scope and back, while Okta's import is rehearsed at random moments and something is killed now and
then: a role, the whole bridge, the directory. In the evening it is quiet: the next import must
equal the directory. Memory, file sizes and the slowest pages are told day by day. Nothing but
loopback is spoken to, and it ends with 1 if anybody was wrongly removed or a leaver was missed.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from bridge.okta.rehearsal import Import, Manner, rehearse
from tests.processes import Bridge, Running
from tests.servers.slapd import READER, READER_PASSWORD, SUFFIX, Slapd, ldif, temporary_slapd

BASE = f"ou=people,{SUFFIX}"
OUTSIDE = f"ou=elsewhere,{SUFFIX}"
LOCKED = "000001010000Z"
PATIENCE = 90.0

MAPPING = """\
version: 1
name: soak
source:
  type: ldap
  url: {url}
  base: {base}
  bind_dn: {reader}
  password: ${{env:SOAK_PASSWORD}}
schedule: {{ changes: 1 second, full: 10 seconds }}
attributes: [entryUUID, uid, cn, sn, givenName, mail, pwdAccountLockedTime]
key: entryUUID
external_id: uid
active:
  rules:
    - {{ when: "pwdAccountLockedTime | starts('{locked}')", then: false, reason: locked }}
  otherwise: {{ then: true, reason: no lock found }}
user:
  userName: {{ expr: mail | first | lower, required: true }}
  name:
    givenName: {{ expr: givenName | first, required: true }}
    familyName: {{ expr: sn | first, required: true }}
  emails:
    - {{ value: mail | first | lower, type: work, primary: true }}
# A month of changes in an hour: no day of 24 hours to be careful about.
limits:
  {{ first_load: publish, absent: 50%, disabled: 50%, reactivated: 50%, renamed: 50%, new: 50%,
    per_day: 100% }}
"""


@dataclass
class Person:
    """Somebody in the directory; ``out`` is out of the scope, ``gone`` deleted."""

    uid: str
    mail: str
    state: str = "active"
    since: float = 0.0
    """When the state was reached, by this process's monotonic clock."""

    @property
    def dn(self) -> str:
        return f"uid={self.uid},{OUTSIDE if self.state == 'out' else BASE}"


@dataclass
class Directory:
    """The directory, and what it should hold."""

    server: Slapd
    dice: random.Random
    people: dict[str, Person] = field(default_factory=dict)
    changes: int = 0

    def found(self, size: int) -> None:
        """Load it while it is stopped."""
        self.server.stop()
        units = [ldif(dn, objectClass="organizationalUnit") for dn in (BASE, OUTSIDE)]
        people = [self._join() for _ in range(size)]
        self.server.load("\n".join([*units, *people]))
        self.server.start()

    def churn(self) -> None:
        """One change of one person."""
        self.changes += 1
        kind = self.dice.choice(["join", "lock", "lock", "unlock", "mail", "delete", "out", "back"])
        if kind == "join":
            self.server.modify(self._join())
            return
        states = {"unlock": "locked", "back": "out"}
        able = [p for p in self.people.values() if p.state == states.get(kind, "active")]
        if able:
            self._change(kind, self.dice.choice(able))

    def _change(self, kind: str, person: Person) -> None:
        head = f"dn: {person.dn}\nchangetype: "
        match kind:
            case "lock":
                text = f"modify\nadd: pwdAccountLockedTime\npwdAccountLockedTime: {LOCKED}\n"
            case "unlock":
                text = "modify\ndelete: pwdAccountLockedTime\n"
            case "mail":
                person.mail = f"{person.uid}.{self.changes}@example.com"
                text = f"modify\nreplace: mail\nmail: {person.mail}\n"
            case "delete":
                text = "delete\n"
            case _:
                above = OUTSIDE if kind == "out" else BASE
                text = f"moddn\nnewrdn: uid={person.uid}\ndeleteoldrdn: 0\nnewsuperior: {above}\n"
        self.server.modify(head + text)
        after = {
            "lock": "locked",
            "delete": "gone",
            "out": "out",
            "unlock": "active",
            "back": "active",
        }
        if kind in after:
            person.state, person.since = after[kind], time.monotonic()

    def _join(self) -> str:
        person = Person(f"u{len(self.people) + 1:05}", "", since=time.monotonic())
        person.mail = f"{person.uid}@example.com"
        self.people[person.uid] = person
        return ldif(
            person.dn,
            objectClass="inetOrgPerson",
            cn=person.uid,
            sn="Soak",
            givenName=person.uid,
            mail=person.mail,
        )

    def active(self) -> dict[str, str]:
        """The mail of everybody who should be active, by uid."""
        return {p.uid: p.mail for p in self.people.values() if p.state == "active"}


@dataclass
class Day:
    """What a day came to."""

    number: int
    changes: int = 0
    imports: int = 0
    broken_off: int = 0
    restarts: int = 0
    wrongful: int = 0
    missed: int = 0
    web_mb: float = 0.0
    sync_mb: float = 0.0
    store_mb: float = 0.0
    p99_ms: float = 0.0

    def line(self) -> str:
        return (
            f"{self.number:>4}{self.changes:>9}{self.imports:>9}{self.broken_off:>8}"
            f"{self.restarts:>10}{self.wrongful:>10}{self.missed:>8}{self.web_mb:>8.0f}"
            f"{self.sync_mb:>9.0f}{self.store_mb:>10.1f}{self.p99_ms:>9.1f}"
        )


HEADINGS = (
    " day  changes  imports  broken  restarts  wrongful  missed  web MB  sync MB  store MB   p99 ms"
)


@dataclass
class Soak:
    """The bridge, the directory and Okta, and everything that happens to them."""

    bridge: Bridge
    directory: Directory
    dice: random.Random
    token: str = ""
    linked: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    running: Running | None = None
    stack: ExitStack = field(default_factory=ExitStack)
    restart_every: float = 15.0
    """Seconds between two restarts, on average half as many more or less."""

    def start(self) -> None:
        self.running = self.stack.enter_context(self.bridge.start("serve"))

    def day(self, number: int, seconds: float) -> Day:
        """Live through a day; the last third of it is quiet."""
        day, before = Day(number), self.directory.changes
        evening = time.monotonic() + seconds * 2 / 3
        restart_at = self._next_restart()
        while time.monotonic() < evening:
            self.directory.churn()
            if self.dice.random() < 0.08:
                self._import(day)
            if time.monotonic() > restart_at:
                self._restart(day)
                restart_at = self._next_restart()
            time.sleep(self.dice.uniform(0, 0.5))
        day.changes = self.directory.changes - before
        self._evening(day)
        self._measure(day)
        return day

    def _next_restart(self) -> float:
        return time.monotonic() + self.restart_every * self.dice.uniform(0.5, 1.5)

    def _import(self, day: Day) -> Import:
        begun = time.monotonic()
        with httpx.Client(timeout=10) as client:
            manner = Manner(wait=lambda seconds: time.sleep(min(seconds, 1)))
            outcome = rehearse(client, self.bridge.base, self.token, self.linked, manner=manner)
        day.imports += 1
        day.broken_off += bool(outcome.failed)
        assert not outcome.violations, outcome.violations
        by_uid = self.directory.people
        for id in outcome.removed if not outcome.failed else ():
            person = by_uid[str(self.linked[id]["externalId"])]
            # Whoever came back within the last reads may still be served as away.
            if person.state == "active" and begun - person.since > PATIENCE:
                day.wrongful += 1
        if not outcome.stopped:
            self.linked = outcome.linked
        return outcome

    def _evening(self, day: Day) -> None:
        """Wait until an import equals the directory; who still differs in the end was missed."""
        end = time.monotonic() + PATIENCE
        while True:
            outcome = self._import(day)
            served = {str(p["externalId"]): str(p["userName"]) for p in self.linked.values()}
            wanted = self.directory.active()
            if not outcome.failed and served == wanted:
                return
            if time.monotonic() > end:
                day.missed += len(served.keys() - wanted.keys())
                day.wrongful += len(wanted.keys() - served.keys())
                return
            time.sleep(1)

    def _restart(self, day: Day) -> None:
        day.restarts += 1
        match self.dice.choice(["web", "syncd", "serve", "stop", "directory"]):
            case "directory":
                self.directory.server.stop()
                time.sleep(self.dice.uniform(0, 3))
                self.directory.server.start()
            case "serve" | "stop" as how:
                assert self.running is not None
                self.running.send(signal.SIGKILL if how == "serve" else signal.SIGTERM)
                self.running.wait()
                self.stack.close()
                self.start()
            case role:
                if pid := self._role(role):
                    os.kill(pid, signal.SIGKILL)

    def _role(self, name: str) -> int | None:
        """The process of a role, if it runs just now."""
        assert self.running is not None
        for stat in Path("/proc").glob("[0-9]*/stat"):
            try:
                parent = int(stat.read_text().rpartition(")")[2].split()[1])
                words = (stat.parent / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if parent == self.running.process.pid and name.encode() in words:
                return int(stat.parent.name)
        return None

    def _measure(self, day: Day) -> None:
        day.web_mb, day.sync_mb = (_memory(self._role(name)) for name in ("web", "syncd"))
        files = self.bridge.database.parent.iterdir()
        day.store_mb = sum(file.stat().st_size for file in files) / 1e6
        took = []
        with httpx.Client(headers={"Authorization": f"Bearer {self.token}"}, timeout=10) as client:
            for number in range(200):
                begun = time.perf_counter()
                client.get(f"{self.bridge.base}/Users?startIndex={number % 9 * 100 + 1}&count=100")
                took.append(time.perf_counter() - begun)
        day.p99_ms = statistics.quantiles(took, n=100)[98] * 1000


def _memory(pid: int | None) -> float:
    """Resident megabytes of a process; 0 where it just died."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    except OSError:
        return 0.0
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


@contextmanager
def prepared(people: int, seed: int) -> Iterator[Soak]:
    """A directory, and a bridge that serves it."""
    with temporary_slapd() as server, tempfile.TemporaryDirectory() as folder:
        dice = random.Random(seed)
        directory = Directory(server, dice)
        directory.found(people)
        bridge = Bridge(Path(folder), settings={"SOAK_PASSWORD": READER_PASSWORD})
        bridge.export.unlink()
        text = MAPPING.format(url=server.url, base=BASE, reader=READER, locked=LOCKED)
        bridge.file.write_text(text)
        soak = Soak(bridge, directory, dice, token=bridge.json("token", "create", "okta")["token"])
        soak.start()
        try:
            yield soak
        finally:
            soak.stack.close()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.soak")
    parser.add_argument("--days", type=int, default=30)
    parser.add_argument("--seconds", type=float, default=120.0, help="how long a day is")
    parser.add_argument("--people", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    print(f"{asked.people:,} people, seed {asked.seed}, {asked.days} days of {asked.seconds:g} s")
    print(HEADINGS, flush=True)
    wrong = 0
    with prepared(asked.people, asked.seed) as soak:
        for number in range(1, asked.days + 1):
            day = soak.day(number, asked.seconds)
            print(day.line(), flush=True)
            wrong += day.wrongful + day.missed
    print("nobody wrongly removed, no leaver missed" if not wrong else f"{wrong} wrong")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
