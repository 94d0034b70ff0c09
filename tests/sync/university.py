"""A branch of a real slapd, the example's mapping of it, and the company it makes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from bridge.store import Store
from tests.servers.slapd import READER, READER_PASSWORD, Slapd, ldif
from tests.sync.conftest import Company

EXAMPLE = Path(__file__).parents[1] / "mapping/data/openldap.yaml"
_PERSON = ("inetOrgPerson", "eduPerson")


@dataclass
class University:
    """A branch of slapd, and the example's mapping with host, base and password changed."""

    slapd: Slapd
    branch: str
    company: Company

    def write_mapping(self, *changes: tuple[str, str]) -> None:
        text = EXAMPLE.read_text()
        for old, new in (
            ("url: ldap://ldap.uni.example", f"url: {self.slapd.url}"),
            ("start_tls: true", f"require: [entryUUID]\n  bind_dn: {READER}"),
            ("  bind_dn: cn=reader,dc=uni,dc=example\n", ""),
            ("${file:/run/secrets/ldap}", "${env:TEST_LDAP_PASSWORD}"),
            ("base: ou=people,dc=uni,dc=example", f"base: {self.people}"),
            ("base: ou=okta,ou=groups,dc=uni,dc=example", f"base: {self.groups}"),
            ("version: 1\n", "version: 1\nlimits: { first_load: publish }\n"),
            *changes,
        ):
            assert old in text
            text = text.replace(old, new, 1)
        (self.company.mappings / "uni.yaml").write_text(text)

    @property
    def people(self) -> str:
        return f"ou=people,{self.branch}"

    @property
    def groups(self) -> str:
        return f"ou=groups,{self.branch}"

    def dn(self, uid: str) -> str:
        return f"cn={uid},{self.people}"

    def add(self, uid: str, manager: str = "", at: str = "", **more: str) -> None:
        if manager:
            more["manager"] = manager if "=" in manager else self.dn(manager)
        dn = at or self.dn(uid)
        self.slapd.modify(
            ldif(dn, objectClass=_PERSON, uid=uid, cn=dn[3 : dn.index(",")], sn=uid,
                 givenName="Given", mail=f"{uid}@uni.example", eduPersonAffiliation="staff",
                 **more)
        )  # fmt: skip

    def change(self, dn: str, *lines: str) -> None:
        self.slapd.modify("\n".join((f"dn: {dn}", *lines, "")))

    def move(self, uid: str, rdn: str, below: str) -> None:
        self.change(self.dn(uid), "changetype: modrdn", f"newrdn: {rdn}", "deleteoldrdn: 1",
                    f"newsuperior: {below}")  # fmt: skip

    def group(self, cn: str, *members: str, **more: str) -> None:
        """Add a group; members are DNs, or the uids of people."""
        named = [each if "=" in each else self.dn(each) for each in members]
        self.slapd.modify(
            ldif(self.group_dn(cn), objectClass="groupOfNames", cn=cn, member=named, **more)
        )

    def group_dn(self, cn: str) -> str:
        return f"cn={cn},{self.groups}"

    def join(self, cn: str, member: str) -> None:
        self._members(cn, "add", member)

    def leave(self, cn: str, member: str) -> None:
        self._members(cn, "delete", member)

    def _members(self, cn: str, how: str, member: str) -> None:
        dn = member if "=" in member else self.dn(member)
        self.change(self.group_dn(cn), "changetype: modify", f"{how}: member", f"member: {dn}")

    def members(self) -> dict[str, set[str]]:
        """The uids of the people in every group that is served, by its name."""
        uid_of = {row["id"]: uid for uid, row in self.company.served().items()}
        return {
            name: {uid_of[member["value"]] for member in row.get("members", ())}
            for name, row in self.company.groups().items()
        }

    def manager(self, uid: str) -> object:
        return enterprise(self.company.served()[uid]).get("manager")


def enterprise(row: dict[str, object]) -> dict[str, object]:
    found = row.get("urn:ietf:params:scim:schemas:extension:enterprise:2.0:User", {})
    assert isinstance(found, dict)
    return found


@pytest.fixture
def uni(
    slapd: Slapd, branch: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[University]:
    monkeypatch.setenv("TEST_LDAP_PASSWORD", READER_PASSWORD)
    (tmp_path / "mappings").mkdir()
    store = Store.open(f"sqlite:///{tmp_path}/bridge.db")
    made = University(slapd, branch, Company(tmp_path, store, "uni-ldap"))
    for name in ("people", "groups"):
        slapd.modify(ldif(f"ou={name},{branch}", objectClass="organizationalUnit"))
    slapd.modify(ldif(f"ou=staff,{made.people}", objectClass="organizationalUnit"))
    made.write_mapping()
    made.add("alice", "boss")
    made.add("boss")
    made.add("carol", "boss", mailAlternateAddress="c@elsewhere.example")
    yield made
    store.close()
