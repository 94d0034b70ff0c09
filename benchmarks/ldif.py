"""The people of an invented company as a directory holds them."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterable, Iterator
from datetime import date
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from benchmarks.people import Person

BASE = "ou=people,dc=uni,dc=example"
ATTRIBUTES = (
    "uid", "cn", "sn", "givenName", "displayName", "preferredLanguage", "mail",
    "mailAlternateAddress", "o", "ou", "title", "employeeNumber", "employeeType", "l", "manager",
    "shadowExpire", "eduPersonAffiliation",
)  # fmt: skip

# RFC 2849: anything else is written in base64.
_SAFE = re.compile(r"[!-9;=-~](?:[ -~]*[!-~])?")


def write_ldif(company: Iterable[Person], file: TextIO, base: str = BASE) -> int:
    """Write the branch ``base`` and an entry for everybody in it; gives the count of people.

    Who left, or will, has the day after as ``shadowExpire``, others have -1.
    """
    _write(file, base, [("objectClass", "organizationalUnit")])
    count = 0
    for person in company:
        _write(file, _dn(person.person_id, base), _attributes(person, base))
        count += 1
    return count


def _dn(person_id: str, base: str) -> str:
    return f"uid={person_id.lower()},{base}"


def _attributes(person: Person, base: str) -> Iterator[tuple[str, str]]:
    job = person.employments[-1]
    for name in ("inetOrgPerson", "shadowAccount", "eduPerson"):
        yield "objectClass", name
    yield "uid", person.person_id.lower()
    yield "cn", f"{person.given} {person.family}"
    yield "sn", person.family
    yield "givenName", person.given
    yield "displayName", f"{person.known_as or person.given} {person.family}"
    yield "preferredLanguage", f"en, {person.country.lower()};q=0.8"
    yield "mail", person.email
    yield "mailAlternateAddress", f"{person.person_id.lower()}@example.org"
    yield "o", "Example University"
    yield "ou", job.department
    yield "title", job.title
    yield "employeeNumber", job.employee_no
    yield "employeeType", job.worker_type
    yield "l", person.location
    if person.manager:
        yield "manager", _dn(person.manager, base)
    days = (job.last_day - date(1970, 1, 1)).days + 1 if job.last_day else -1
    yield "shadowExpire", str(days)
    yield "eduPersonAffiliation", "staff"
    if job.worker_type == "Employee":
        yield "eduPersonAffiliation", "faculty"


def _write(file: TextIO, dn: str, attributes: Iterable[tuple[str, str]]) -> None:
    lines = [f"dn: {dn}"]
    for name, value in attributes:
        if _SAFE.fullmatch(value):
            lines.append(f"{name}: {value}")
        else:
            lines.append(f"{name}:: {b64encode(value.encode()).decode()}")
    file.write("\n".join(lines) + "\n\n")
