"""A directory, from a real slapd to Okta's side: people, and links by DN."""

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


def test_the_people_of_a_directory_are_served_and_its_groups_are_no_people(uni):
    uni.slapd.modify(ldif(f"cn=g,{uni.groups}", objectClass="groupOfNames", cn="g",
                          member=uni.dn("alice")))  # fmt: skip
    report = uni.company.sync("full")
    assert (report.verdict, report.entries, report.problems) == ("COMPLETE", 4, 1)
    assert "not served yet" in str(uni.company.problems())
    served = uni.company.served()
    assert set(served) == {"alice", "boss", "carol"}
    assert served["carol"]["emails"] == [
        {"value": "carol@uni.example", "type": "work", "primary": True},
        {"value": "c@elsewhere.example", "type": "other"},
    ]
    assert uni.manager("alice") == uni.manager("carol") == {"value": "boss@uni.example"}
    assert uni.manager("boss") is None


@pytest.mark.parametrize("mode", ["full", "changes"])
def test_a_manager_moved_within_the_scope_leaves_the_reports_as_they_are(uni, mode):
    uni.company.sync("full")
    before = uni.company.served()
    uni.move("boss", "cn=head", f"ou=staff,{uni.people}")
    report = uni.company.sync(mode)
    assert (report.verdict, report.counts, report.held) == ("COMPLETE", {}, {})
    after = uni.company.served()
    assert {uid: after[uid] for uid in ("alice", "carol")} == {
        uid: before[uid] for uid in ("alice", "carol")
    }
    moved = f"cn=head,ou=staff,{uni.people}"
    uni.change(moved, "changetype: modify", "replace: mail", "mail: head@uni.example")
    uni.company.sync(mode)
    assert uni.manager("alice") == {"value": "head@uni.example"}


def test_a_manager_who_is_read_after_the_reports_is_linked_then(uni):
    uni.add("dave", "erin")
    uni.company.sync("full")
    assert uni.manager("dave") is None
    uni.add("erin")
    uni.company.sync("changes")
    assert uni.manager("dave") == {"value": "erin@uni.example"}


def test_a_former_name_means_whoever_has_it_now(uni):
    uni.company.sync("full")
    uni.move("boss", "cn=head", f"ou=staff,{uni.people}")
    uni.add("other", at=uni.dn("boss"))
    uni.company.sync("changes")
    assert uni.manager("alice") == {"value": "other@uni.example"}


def test_a_link_does_not_mind_how_a_name_is_spelled(uni):
    uni.add("dave", f"CN = Boss , {uni.people.upper()}")
    uni.company.sync("full")
    assert uni.manager("dave") == {"value": "boss@uni.example"}


def test_a_manager_who_left_stays_linked(uni):
    uni.company.sync("full")
    uni.change(uni.dn("boss"), "changetype: delete")
    uni.company.sync("full")
    assert uni.company.inactive() == {"boss"}
    uni.change(uni.dn("alice"), "changetype: modify", "replace: sn", "sn: Married")
    uni.company.sync("changes")
    assert uni.manager("alice") == {"value": "boss@uni.example"}


def test_an_edit_that_needs_another_attribute_reads_everybody_anew(uni):
    uni.add("dave", title="Chef")
    uni.company.sync("full")
    uni.write_mapping(("  nickName:", "  title: title\n  nickName:"))
    report = uni.company.sync("changes")
    assert (report.mode, report.verdict) == ("full", "COMPLETE")
    assert uni.company.served()["dave"]["title"] == "Chef"


def test_nobody_beside_groups_is_not_believed(uni):
    uni.slapd.modify(ldif(f"cn=g,{uni.groups}", objectClass="groupOfNames", cn="g",
                          member=uni.dn("alice")))  # fmt: skip
    uni.company.sync("full")
    for uid in ("alice", "boss", "carol"):
        uni.change(uni.dn(uid), "changetype: delete")
    report = uni.company.sync("full")
    assert report.verdict == "INCOMPLETE"
    assert "3 records" in report.reason
    assert uni.company.inactive() == set()
