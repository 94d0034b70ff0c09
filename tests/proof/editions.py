"""The mapping file of the simulated company: its editions, and what each makes of a row."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from tests.proof.company import DAY, Row

LIMITS = {
    "absent": 1,
    "disabled": 2,
    "reactivated": 1,
    "edited": 1,
    "renamed": 3,
    "emptied": 3,
    "new": 4,
    "memberships": 4,
    "per_day": 3,
}
"""What a run may do by itself in a company of up to 20."""

MAPPING = """\
version: 1
name: hr
source: { type: simulated, password: "${env:PROOF_SECRET}" }
lookups:
  departments: { "1": Engineering, "2": Sales }
vars:
  ends: end | date('%Y-%m-%d')
key: id
external_id: id
skip:
  - { when: title == 'Test', reason: test account }
active:
  rules:
    - { when: locked | bool, then: false, reason: locked }
    - { when: "end_of(ends) <= now", then: false, reason: last day has passed }
  otherwise: { then: true, reason: employed }
user:
  userName: { expr: mail | lower, required: true }
  name:
    givenName: { expr: first, required: true }
    familyName: { expr: last, required: true }
  title: title
  emails:
    - { value: mail | lower, type: work, primary: true }
enterprise:
  department: dept | lookup('departments', 'Unknown')
  manager: { value: "boss | ref('externalId', 'userName')" }
groups:
  - key: f"department-{dept}"
    displayName: f"Department {dept | lookup('departments', 'Unknown')}"
  - base: ou=teams
    filter: (objectClass=team)
    key: id
    displayName: name
    members: member | ref('dn')
limits: { first_load: FIRST, disabled: 2, new: 4, memberships: 4 }
"""


GUESTS = """\
version: 1
name: guests
source: { type: csv, path: guests.csv, require: [id] }
attributes: [id, first, last, mail]
key: id
external_id: id
active: { otherwise: { then: true, reason: invited } }
user:
  userName: { expr: mail, required: true }
  name: { givenName: first, familyName: last }
  emails:
    - { value: mail, primary: true }
limits: { first_load: publish }
"""
"""Another source, whose people never change whatever happens to the company's."""
GUEST_ROWS = """\
id,first,last,mail
X1,Zfirst,Zlast,x1@example.com
X2,Zfirst,Zlast,x2@example.com
"""


@dataclass(frozen=True, slots=True)
class Text:
    """An edition of the mapping file, and what it makes of a row, in the words of this test."""

    changes: tuple[tuple[str, str], ...] = ()
    good: bool = True
    title: Callable[[str], str] = str
    engineering: str = "Engineering"
    protected: str = ""
    skipped: str = "Test"
    employed: bool = True

    def written(self, first_load: str) -> str:
        text = MAPPING.replace("FIRST", first_load)
        for old, new in self.changes:
            assert old in text
            text = text.replace(old, new)
        return text

    def department(self, dept: str) -> str:
        return {"1": self.engineering, "2": "Sales"}.get(dept, "Unknown")


TEXTS: dict[str, Text] = {
    "as it was": Text(),
    "titles in capitals": Text(
        (("\n  title: title\n", "\n  title: title | upper\n"),), title=str.upper
    ),
    "no titles": Text((("\n  title: title\n", "\n"),), title=lambda title: ""),
    "another name of a department": Text((("Engineering", "Research"),), engineering="Research"),
    "chiefs are not served": Text((("title == 'Test'", "title == 'Chief'"),), skipped="Chief"),
    "nobody is employed": Text((("then: true", "then: false"),), employed=False),
    "one is protected": Text((("\nlimits:", "\nprotect: [P2]\nlimits:"),), protected="P2"),
    "another secret": Text((("env:PROOF_SECRET", "env:PROOF_OTHER_SECRET"),)),
    "a typo": Text((("\n  title: title\n", "\n  title: titel\n"),), good=False),
    "another key": Text((("key: id\n", "key: mail\n"),), good=False),
    "another name": Text((("name: hr\n", "name: people\n"),), good=False),
    "half a file": Text((("groups:\n", "gro"),), good=False),
}

ACTIVE, ENDED, SKIPPED, ABSENT, FAULTY = "active", "ended", "skipped", "absent", "faulty"


def state(row: Row | None, text: Text, now: datetime) -> str:
    """What a row says of a person, whatever was served before."""
    if row is None:
        return ABSENT
    if row.get("title", "") == text.skipped:
        return SKIPPED
    end = _day(row.get("end", ""))
    locked = {"": False, "no": False, "yes": True}.get(row.get("locked", ""))
    if locked or (end is not None and end + DAY <= now):
        return ENDED
    good = all(row.get(name) for name in ("first", "last", "mail"))
    if locked is None or (end is None and row.get("end")) or not good:
        return FAULTY
    return ACTIVE if text.employed else ENDED


def _day(text: str) -> datetime | None:
    try:
        return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        return None
