"""A branch of a real slapd as the sources' tests see it."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from bridge.model import Batch, Entry, Wanted
from bridge.sources import Source, ldap
from tests.servers.slapd import READER, READER_PASSWORD, Slapd, ldif
from tests.sources.contract import Person, Reading, World

WANTED = Wanted(frozenset({"uid", "displayName", "mail"}))
NAMES = {"id": "uid", "name": "displayName", "mail": "mail"}


def settings(base: str | list[str], url: str, **more: Any) -> ldap.Settings:
    return ldap.Settings.model_validate(
        {"url": url, "base": base, "bind_dn": READER, "password": READER_PASSWORD, **more}
    )


def person(base: str, someone: Person) -> str:
    """LDIF of somebody of the contract's."""
    lines = [f"dn: uid={someone['id']},{base}", "objectClass: inetOrgPerson", "cn: x", "sn: x"]
    lines += [
        f"{NAMES[name]}:: {base64.b64encode(value.encode()).decode()}"
        for name, value in someone.items()
        if value
    ]
    return "\n".join(lines) + "\n\n"


class AsPeople:
    """A source whose entries hold the contract's three names and nothing else."""

    def __init__(self, source: Source) -> None:
        self._source = source

    def read(self, cookie: bytes | None) -> Iterator[Batch]:
        for batch in self._source.read(cookie):
            yield replace(batch, entries=[self._person(entry) for entry in batch.entries])

    def _person(self, entry: Entry) -> Entry:
        known = {name: entry.attributes.get(sent) for name, sent in NAMES.items()}
        return replace(entry, attributes={name: value for name, value in known.items() if value})


class Directory(World):
    """A branch of a real slapd; people who stay keep their entries."""

    def __init__(self, server: Slapd, base: str) -> None:
        self.server, self.base = server, base
        self.held: dict[str, Person] = {}

    def open(self, wanted: Wanted = WANTED, **more: Any) -> ldap.LdapSource:
        return ldap.open(
            settings(self.base, more.pop("url", self.server.url), **more), Path("/"), wanted
        )

    def source(self) -> Source:
        return AsPeople(self.open())

    def hold(self, people: Sequence[Person]) -> None:
        self.server.set_size_limit("unlimited")
        wanted = {each["id"]: each for each in people}
        changes = [
            f"dn: uid={id},{self.base}\nchangetype: delete\n\n"
            for id in self.held
            if id not in wanted
        ]
        for id, each in wanted.items():
            if id not in self.held:
                changes.append(person(self.base, each))
            elif each != self.held[id]:
                changes.append(self.modification(each))
        self.server.modify("".join(changes))
        self.held = wanted

    def modification(self, each: Person) -> str:
        """LDIF that makes somebody's entry say this."""
        lines = [f"dn: uid={each['id']},{self.base}", "changetype: modify"]
        for name in ("name", "mail"):
            lines.append(f"replace: {NAMES[name]}")
            if each[name]:
                value = base64.b64encode(each[name].encode()).decode()
                lines.append(f"{NAMES[name]}:: {value}")
            lines.append("-")
        return "\n".join(lines) + "\n\n"

    def break_off(self, people: Sequence[Person]) -> None:
        self.hold(people)
        self.server.set_size_limit("1")

    def take_away(self) -> None:
        self.server.stop()


def unit(world: Directory, name: str) -> str:
    dn = f"ou={name},{world.base}"
    world.server.modify(ldif(dn, objectClass="organizationalUnit"))
    return dn


def uids(reading: Reading) -> list[str]:
    return [entry.attributes["uid"] for entry in reading.read]
