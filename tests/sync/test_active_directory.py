"""A domain, from a real Samba to Okta's side: what reads of changes see, and what links mean."""

from __future__ import annotations

from random import Random

from tests.servers.samba import domain, samba_server
from tests.sync.domain import DISABLED, ENABLED, corp
from tests.sync.university import enterprise

__all__ = ["corp", "domain", "samba_server"]


def changes(corp):
    report = corp.company.sync("changes")
    assert (report.verdict, report.mode) == ("COMPLETE", "changes")
    return report


def test_the_example_serves_the_people_of_a_domain(corp):
    corp.add("svc-x")
    report = corp.company.sync("full")
    assert (report.verdict, report.problems) == ("COMPLETE", 0)
    served = corp.company.served()
    assert set(served) == {"ann", "bob", "cleo", "dan", "svc-x"} - {"svc-x"}
    assert served["ann"]["active"] is True
    assert served["ann"]["name"]["familyName"] == "ann"
    assert enterprise(served["bob"])["manager"] == {"value": "ann@e.example"}


def test_a_disabled_or_expired_account_is_seen_by_a_read_of_changes(corp):
    corp.company.sync("full")
    corp.replace(corp.dn("ann"), "userAccountControl", DISABLED)
    corp.replace(corp.dn("bob"), "accountExpires", "132000000000000000")
    assert changes(corp).entries == 2
    assert corp.company.inactive() == {"ann", "bob"}
    corp.replace(corp.dn("ann"), "userAccountControl", ENABLED)
    changes(corp)
    assert corp.company.inactive() == {"bob"}


def test_a_deleted_person_and_one_moved_out_of_scope_are_seen_at_once(corp):
    corp.company.sync("full")
    corp.change(corp.dn("ann"), "changetype: delete")
    changes(corp)
    assert corp.company.inactive() == {"ann"}
    corp.move(corp.dn("bob"), "CN=bob", corp.elsewhere)
    changes(corp)
    assert corp.company.inactive() == {"ann", "bob"}
    corp.move(f"CN=bob,{corp.elsewhere}", "CN=bob", corp.people)
    changes(corp)
    assert corp.company.inactive() == {"ann"}


def test_a_renamed_manager_stays_the_manager(corp):
    corp.company.sync("full")
    corp.move(corp.dn("ann"), "CN=Ann Married", f"OU=Staff,{corp.people}")
    changes(corp)
    assert enterprise(corp.company.served()["bob"])["manager"] == {"value": "ann@e.example"}


def test_a_group_three_levels_deep_is_followed_by_reads_of_changes(corp):
    corp.group("inner", "cleo")
    corp.group("middle", corp.group_dn("inner"))
    corp.group("outer", corp.group_dn("middle"), "ann")
    corp.company.sync("full")
    assert corp.members()["outer"] == {"ann", "cleo"}
    corp.change(corp.group_dn("inner"), "changetype: modify", "add: member",
                f"member: {corp.dn('dan')}")  # fmt: skip
    changes(corp)
    assert corp.members() == {
        "inner": {"cleo", "dan"}, "middle": {"cleo", "dan"}, "outer": {"ann", "cleo", "dan"},
    }  # fmt: skip
    corp.change(corp.group_dn("middle"), "changetype: delete")
    changes(corp)
    assert corp.members() == {"inner": {"cleo", "dan"}, "outer": {"ann"}}


def test_a_unit_that_is_moved_takes_its_people_along(corp):
    corp.move(corp.dn("ann"), "CN=ann", f"OU=Staff,{corp.people}")
    corp.company.sync("full")
    corp.move(f"OU=Staff,{corp.people}", "OU=Staff", corp.elsewhere)
    changes(corp)
    assert corp.company.inactive() == {"ann"}


def test_a_read_of_changes_asks_for_nobody_who_did_not_change(corp):
    corp.company.sync("full")
    assert changes(corp).entries == 0


def test_another_filter_is_a_reason_to_read_everything(corp):
    corp.company.sync("full")
    corp.write_mapping(("(objectClass=user))", "(objectClass=user)(!(cn=dan)))"))
    report = corp.company.sync("changes")
    assert (report.mode, report.verdict) == ("full", "COMPLETE")
    assert corp.company.inactive() == {"dan"}


def test_whatever_happens_in_a_domain_the_reads_of_changes_find_all_of_it(corp):
    chance = Random(7)
    corp.group("inner", "cleo")
    corp.group("outer", corp.group_dn("inner"))
    corp.company.sync("full")
    at = {name: corp.dn(name) for name in ("ann", "bob", "cleo", "dan")}
    for step in range(40):
        name = chance.choice(sorted(at))
        action = chance.choice(
            ("join", "leave", "disable", "enable", "rename", "out", "in", "member", "mail")
        )
        dn = at[name]
        if action == "join":
            new = f"new{step}"
            corp.add(new)
            at[new] = corp.dn(new)
        elif action == "leave" and len(at) > 3 and name != "ann":
            # A domain empties the manager of a deleted one's reports without counting it a change.
            corp.change(dn, "changetype: delete")
            del at[name]
        elif action in ("disable", "enable"):
            corp.replace(dn, "userAccountControl", DISABLED if action == "disable" else ENABLED)
        elif action in ("rename", "out", "in"):
            below = {"rename": dn.partition(",")[2], "out": corp.elsewhere, "in": corp.people}
            rdn = f"CN={name}-{step}"
            corp.move(dn, rdn, below[action])
            at[name] = f"{rdn},{below[action]}"
        elif action == "member":
            group = chance.choice(("inner", "outer"))
            members = [dn] if group == "inner" else [dn, corp.group_dn("inner")]
            corp.change(corp.group_dn(group), "changetype: modify", "replace: member",
                        *(f"member: {member}" for member in members))  # fmt: skip
        elif action == "mail":
            corp.replace(dn, "mail", f"{name}{step}@e.example")
        changes(corp)
        before = corp.company.served(), corp.company.groups()
        assert corp.company.sync("full").written == 0, (step, action)
        assert (corp.company.served(), corp.company.groups()) == before
