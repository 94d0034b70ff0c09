"""A week of a university in one complete read: what the next import of Okta makes of it."""

from __future__ import annotations

from typing import Any

from tests.acceptance.conftest import ENTERPRISE, LOCKED, PEOPLE, founded, uids
from tests.processes import Bridge
from tests.servers.slapd import Slapd


def manager(profile: Any) -> str:
    """The userName of somebody's manager."""
    return str(profile[ENTERPRISE].get("manager", {}).get("value", ""))


def test_an_import_after_one_complete_read_does_exactly_what_happened(
    slapd: Slapd, bridge: Bridge
) -> None:
    university = founded(slapd, bridge, "company")
    university.group("lab", "p0000003")
    university.group("vpn", "p0000004", f"cn=lab,{university.groups}")
    university.group("choir", "p0000002", "p0000005")
    university.group("library", *(f"p{number:07}" for number in range(1, PEOPLE + 1)))
    university.first_load()
    before = university.linked
    groups, members = university.served_groups(), university.members()
    by_uid = {str(profile["externalId"]): profile for profile in before.values()}
    in_charge = {manager(profile) for profile in before.values()}
    idle = [uid for uid in sorted(by_uid) if by_uid[uid]["userName"] not in in_charge]
    busy = [uid for uid in sorted(by_uid) if by_uid[uid]["userName"] in in_charge]
    head, newcomers = busy[10], ["new1", "new2", "new3", "new4"]
    locked, deleted = [busy[20], *idle[:4]], [busy[30], *idle[4:6]]
    renamed, (outside, without_mail, recruit) = idle[6:8], idle[8:11]
    assert len(before) > 900
    gone = {*locked, *deleted, outside}
    assert not gone & {"p0000002", "p0000003", "p0000004", "p0000005"}

    for uid in locked:
        university.give(uid, "pwdAccountLockedTime", LOCKED)
    for uid in deleted:
        university.change(uid, "changetype: delete")
    for uid in renamed:
        university.give(uid, "mail", f"{uid}.married@example.com")
    university.move(outside, f"ou=alumni,{university.branch}")
    for uid in newcomers:
        university.join(uid)
    university.give(without_mail, "mail")
    university.move(head, f"ou=staff,{university.people}")
    university.enrol("lab", recruit)

    assert bridge.json("sync", "--full")["verdict"] == "COMPLETE"
    outcome = university.imported()
    assert uids(before, outcome.removed) == gone
    assert uids(university.linked, outcome.created) == {*newcomers}
    assert uids(before, outcome.updated) == {*renamed}
    reports = {id for id, profile in before.items() if manager(profile) == by_uid[head]["userName"]}
    assert reports
    assert reports <= outcome.unchanged

    id_of = {profile["externalId"]: id for id, profile in university.linked.items()}
    assert id_of[without_mail] in outcome.unchanged
    [problem] = bridge.json("status")["problems"]
    assert "userName" in " ".join(problem["messages"])
    [person] = bridge.json("people", by_uid[without_mail]["userName"])
    assert problem["person"] == person["key"]

    assert university.members() == {
        "lab": members["lab"] | {recruit},
        "vpn": members["vpn"] | {recruit},
        "choir": members["choir"],
        "library": members["library"] - gone,
    }
    assert university.served_groups()["choir"] == groups["choir"]

    assert bridge.json("sync", "--full")["sources"][0]["written"] == 0
    assert university.imported().unchanged == university.linked.keys()
