"""A company in a CSV file, the bridge that serves it, and Okta's import, all in one process."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from bridge.okta.rehearsal import Import, rehearse
from bridge.scim import application
from bridge.settings import Settings
from bridge.store import Store, audit, overrides, plans, problems, resources, tokens
from bridge.store import sources as source_rows
from bridge.store.tables import AuditRow, PlanRow
from bridge.sync.leadership import leadership
from bridge.sync.report import Report
from bridge.sync.run import CHANGES, Sync
from tests import asgi
from tests.servers.slapd import branch, slapd, slapd_server

__all__ = ["Company", "branch", "company", "founded", "person", "slapd", "slapd_server"]

BASE = "https://bridge.example.com/scim/v2"
NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)

MAPPING = """\
version: 1
name: hr
source:
  type: csv
  path: people.csv
  settle: 0 seconds
  columns:
    {{id: id, first: first, last: last, mail: mail, dept: dept, boss: boss, end: end, title: title}}
  require: [id, mail]
lookups:
  departments: {{ "1": Engineering, "2": Sales }}
vars:
  ends: end | date('%Y-%m-%d')
key: id
external_id: id
skip:
  - {{ when: title == 'Test', reason: test account }}
active:
  rules:
    - {{ when: "end_of(ends) <= now", then: false, reason: last day has passed }}
  otherwise: {{ then: true, reason: employed }}
user:
  userName: {{ expr: mail | lower, required: true }}
  name:
    givenName: {{ expr: first, required: true }}
    familyName: {{ expr: last, required: true }}
  title: title
  emails:
    - {{ value: mail | lower, type: work, primary: true }}
enterprise:
  department: dept | lookup('departments', 'Unknown')
  manager: {{ value: "boss | ref('externalId', 'userName')" }}
groups:
  - key: f"department-{{dept}}"
    displayName: f"Department {{dept | lookup('departments', 'Unknown')}}"

{limits}
"""

HEADINGS = ("id", "first", "last", "mail", "dept", "boss", "end", "title")


def person(number: int, **changes: str) -> dict[str, str]:
    """The row of an invented person, P1 being everybody's manager."""
    row = {
        "id": f"P{number}",
        "first": f"First{number}",
        "last": f"Last{number}",
        "mail": f"p{number}@example.com",
        "dept": str(number % 2 + 1),
        "boss": "" if number == 1 else "P1",
        "end": "",
        "title": "Clerk",
    }
    return row | changes


@dataclass
class Company:
    """The rows of the export by person, and everything that hangs on it."""

    folder: Path
    store: Store
    name: str = "hr"
    now: datetime = NOW
    rows: dict[str, dict[str, str]] = field(default_factory=dict)
    limits: str = "limits: { first_load: publish }"
    secret: str = ""
    written: int = 0
    linked: Mapping[str, Mapping[str, object]] = field(default_factory=dict)

    @property
    def mappings(self) -> Path:
        return self.folder / "mappings"

    @property
    def export(self) -> Path:
        return self.mappings / "people.csv"

    def people(self, count: int) -> None:
        self.rows = {f"P{n}": person(n) for n in range(1, count + 1)}

    def write_mapping(self, *changes: tuple[str, str]) -> Path:
        path = self.mappings / "hr.yaml"
        text = MAPPING.format(limits=self.limits)
        for old, new in changes:
            assert old in text
            text = text.replace(old, new)
        path.write_text(text)
        return path

    def write_export(self, text: str | bytes | None = None) -> None:
        """Write the export, each time later than before, whatever the file system's clock says."""
        if text is None:
            with self.export.open("w", newline="") as file:
                writer = csv.DictWriter(file, HEADINGS)
                writer.writeheader()
                writer.writerows(self.rows.values())
        else:
            self.export.write_bytes(text.encode() if isinstance(text, str) else text)
        self.written += 1
        moment = (NOW + timedelta(seconds=self.written)).timestamp()
        os.utime(self.export, (moment, moment))

    def sync(self, mode: str = CHANGES) -> Report:
        """Sync what stands on disk now."""
        with leadership(self.store) as epoch:
            return Sync(self.store, self.mappings, epoch, lambda: self.now).run(
                self.name, mode, "test"
            )

    def update(self, mode: str = CHANGES) -> Report:
        """Write the rows, and sync."""
        self.write_export()
        return self.sync(mode)

    def plans(self, *states: str) -> list[PlanRow]:
        """The plans in some states or any, the oldest first."""
        with self.store.read() as connection:
            return plans.listing(connection, states=states or None)[::-1]

    def plan(self) -> PlanRow:
        """The one plan that is held."""
        [plan] = self.plans(plans.HELD)
        return plan

    def changes(self, plan: PlanRow | None = None) -> list[plans.PlanChange]:
        """What a plan holds."""
        id = (plan or self.plan()).id
        assert id is not None
        with self.store.read() as connection:
            return plans.changes(connection, id, limit=10_000)

    def shown(self, plan: PlanRow | None = None) -> set[tuple[str, str, str]]:
        """What `bridge plan show` shows of a plan: who, which kind, to which target."""
        return {change[:3] for change in self.changes(plan)}

    def approve(self, plan: PlanRow | None = None) -> Report:
        with self.store.write() as connection:
            plans.approve(connection, (plan or self.plan()).hash, "ann", self.now)
        return self.sync("decide")

    def reject(self, plan: PlanRow | None = None) -> Report:
        with self.store.write() as connection:
            plans.reject(connection, (plan or self.plan()).hash, "ann", self.now)
        return self.sync("decide")

    def override(self, key: str, active: bool, until: datetime | None = None) -> None:
        """`bridge deactivate` or `bridge activate`."""
        with self.store.write() as connection:
            overrides.set(connection, self.source_id, key, active, "asked", "ann", self.now, until)

    def leave(self, *numbers: int) -> None:
        """Give people a last day in the past."""
        for number in numbers:
            self.rows[f"P{number}"]["end"] = "2026-06-14"

    def problems(self) -> dict[str, str]:
        """What is wrong, by person."""
        with self.store.read() as connection:
            return {
                subject: " ".join(problem.messages)
                for _, subject, problem in problems.all(connection)
            }

    def audit(self, key: str) -> list[AuditRow]:
        """What happened to a person, the newest first."""
        with self.store.read() as connection:
            return list(audit.find(connection, audit.Search(self.source_id, key)))

    @property
    def source_id(self) -> int:
        with self.store.read() as connection:
            source = source_rows.get(connection, self.name)
        assert source is not None
        assert source.id is not None
        return source.id

    @contextmanager
    def client(self) -> Iterator[httpx.Client]:
        """Okta's side: a client with a token."""
        if not self.secret:
            with self.store.write() as connection:
                self.secret = tokens.create(connection, "okta", None, self.now)[1]
        app = application(self.store, Settings(public_url="https://bridge.example.com"))
        with asgi.client(app, self.secret) as made:
            yield made

    def served(self) -> dict[str, dict[str, object]]:
        """Every served person by external id."""
        with self.client() as client:
            answer = client.get("/scim/v2/Users?count=1000")
        assert answer.status_code == 200, answer.text
        return {row["externalId"]: row for row in answer.json()["Resources"]}

    def active(self, *keys: str) -> tuple[bool, ...]:
        """Whether each of these people is served as active, whatever their external ids are."""
        with self.store.read() as connection:
            served = resources.served(connection, self.source_id, keys)
        return tuple(served[key].active for key in keys)

    def groups(self) -> dict[str, dict[str, object]]:
        with self.client() as client:
            answer = client.get("/scim/v2/Groups?count=1000")
        return {row["displayName"]: row for row in answer.json()["Resources"]}

    def inactive(self) -> set[str]:
        return {key for key, row in self.served().items() if not row["active"]}

    def okta_imports(self) -> Import:
        """One full import, after which Okta has linked what it created."""
        with self.client() as client:
            result = rehearse(client, BASE, self.secret, self.linked)
        self.linked = result.linked
        return result


@contextmanager
def founded(folder: Path) -> Iterator[Company]:
    """A company of ten, whose first sync is still to come."""
    (folder / "mappings").mkdir()
    store = Store.open(f"sqlite:///{folder}/bridge.db")
    made = Company(folder, store)
    made.people(10)
    made.write_mapping()
    yield made
    store.close()


@pytest.fixture
def company(tmp_path: Path) -> Iterator[Company]:
    with founded(tmp_path) as made:
        yield made
