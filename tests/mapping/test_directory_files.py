"""The file of a directory: its own tests, what the directory is asked for, and its groups."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from bridge.errors import FileFaults
from bridge.mapping import load, run_tests
from bridge.model import Entry, Kind
from bridge.sources import settings_models

NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)
OPENLDAP = Path(__file__).parent / "data/openldap.yaml"


def _openldap(*changes):
    text = OPENLDAP.read_text()
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    return load(text, "openldap.yaml", settings_models())


def _group(**attributes):
    return Entry("group 0 g", attributes, b"g" * 16, "cn=g", Kind.GROUP)


def test_the_openldap_example_passes_its_own_tests():
    results = run_tests(_openldap())
    assert [(each.passed, each.problems) for each in results] == [(True, ())] * 3


def test_a_directory_is_asked_for_exactly_what_expressions_use():
    wanted = _openldap().wanted
    assert wanted.attributes == {
        "entryUUID", "uid", "cn", "sn", "givenName", "preferredLanguage", "mail",
        "mailAlternateAddress", "o", "ou", "employeeNumber", "manager", "shadowExpire",
        "pwdAccountLockedTime", "loginShell", "eduPersonAffiliation",
    }  # fmt: skip
    (search,) = wanted.groups
    assert (search.base, search.filter) == (
        "ou=okta,ou=groups,dc=uni,dc=example", "(objectClass=groupOfNames)",
    )  # fmt: skip
    assert search.attributes == {"entryUUID", "cn", "member"}


def test_dn_is_a_name_of_every_entry_of_a_directory_and_is_never_asked_for():
    mapping = _openldap(("  nickName:", "  title: DN | lower\n  nickName:"))
    assert "dn" not in {name.lower() for name in mapping.wanted.attributes}
    person = {"entryUUID": "u", "uid": "a", "cn": "A", "sn": "B", "mail": "a@uni.example",
              "eduPersonAffiliation": "staff", "dn": "CN=A,dc=Uni"}  # fmt: skip
    mapped = mapping.person([Entry("u", person, b"u" * 16)], NOW)
    assert mapped.resource.attributes["title"] == "cn=a,dc=uni"


def test_a_directory_group_has_its_key_name_and_direct_members():
    group = _openldap().group(
        _group(entryUUID="u", cn="VPN", member=["CN=A , dc=x", "cn=b,dc=x", "cn=a,dc=x"])
    )
    assert (group.key, group.display_name, group.faults) == ("u", "VPN", ())
    assert [each.flatten for each in _openldap().directory_groups] == [True]
    assert [link.ref for link in group.members] == ["cn=a,dc=x", "cn=b,dc=x"]
    assert {link.by for link in group.members} == {"dn"}


def test_a_directory_group_without_members_is_empty_and_no_fault():
    group = _openldap().group(_group(entryUUID="u", cn="VPN"))
    assert (group.key, group.members, group.faults) == ("u", (), ())


@pytest.mark.parametrize(
    ("attributes", "fault"),
    [
        ({"cn": "VPN"}, "groups[1]: key (of entryUUID) is absent"),
        ({"entryUUID": "u"}, "groups[1]: displayName (of cn) is absent"),
        ({"entryUUID": "u", "cn": ["A", "B"]}, "groups[1]: displayName (of cn) is a list"),
        ({"entryUUID": "u", "cn": "A", "member": ["cn=a", "a"]}, "(of member) is no DN"),
    ],
)  # fmt: skip
def test_a_directory_group_that_cannot_be_worked_out_says_why(attributes, fault):
    group = _openldap().group(_group(**attributes))
    assert [fault in each for each in group.faults] == [True]


def test_several_names_where_one_person_is_linked_are_a_fault():
    mapping = _openldap(("manager | first | ref", "manager | ref"))
    person = {"entryUUID": "u", "uid": "a", "cn": "A", "sn": "B", "mail": "a@uni.example",
              "eduPersonAffiliation": "staff", "manager": ["cn=a", "cn=b"]}  # fmt: skip
    (fault,) = mapping.person([Entry("u", person, b"u" * 16)], NOW).faults
    assert "a list of several values" in fault


def test_a_group_does_not_read_what_is_worked_out_from_a_person():
    with pytest.raises(FileFaults, match="'kind' is worked out from a person"):
        _openldap(("displayName: cn\n    members", "displayName: kind\n    members"))
