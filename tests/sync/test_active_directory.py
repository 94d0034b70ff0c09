"""A domain, from a real Samba to Okta's side: what reads of changes see, and what links mean."""

from __future__ import annotations

import json

from bridge.sync.why import why
from tests.servers.samba import domain, samba_server
from tests.sync.domain import DISABLED, ENABLED, corp
from tests.sync.university import enterprise

__all__ = ["corp", "domain", "samba_server"]


OUTSIDE = "left scope: still in the source, but not where `base` and `filter` look"


def reason(corp, name):
    """Why somebody is inactive, as the audit has it and `bridge why` tells it."""
    found = why(corp.company.store, f"{name}@e.example", corp.company.now)
    assert found.outside is (found.person.served.reason == OUTSIDE)
    assert json.loads(found.history[0].detail)["reason"] == found.person.served.reason
    return found.person.served.reason


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
    assert reason(corp, "ann") == "no longer in the source"
    assert reason(corp, "bob") == OUTSIDE
    corp.move(f"CN=bob,{corp.elsewhere}", "CN=bob", corp.people)
    changes(corp)
    assert corp.company.inactive() == {"ann"}


def test_somebody_restored_is_active_again_and_in_no_group_the_domain_forgot(corp):
    corp.group("team", "bob", "cleo")
    corp.company.sync("full")
    left = corp.samba.delete(corp.dn("bob"))
    changes(corp)
    assert corp.company.inactive() == {"bob"}
    assert corp.members() == {"team": {"cleo"}}
    corp.restore(left, corp.dn("bob"), "bob")
    corp.company.sync("changes")
    assert corp.company.inactive() == set()
    if corp.tells_restores:
        assert corp.members() == {"team": {"cleo"}}
    corp.company.sync("full")
    assert corp.members() == {"team": {"cleo"}}


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


def test_whoever_has_a_primary_group_is_in_it_and_in_those_above_it(corp):
    corp.group("primary", "ann", "bob")
    corp.group("above", corp.group_dn("primary"), "dan")
    corp.company.sync("full")
    number = corp.samba.value(corp.group_dn("primary"), "primaryGroupToken")
    before = corp.samba.value(corp.dn("ann"), "primaryGroupID")
    corp.replace(corp.dn("ann"), "primaryGroupID", number)
    assert "CN=ann," not in corp.samba.value(corp.group_dn("primary"), "member")
    changes(corp)
    assert corp.members() == {"primary": {"ann", "bob"}, "above": {"ann", "bob", "dan"}}
    corp.change(corp.group_dn("above"), "changetype: modify", "replace: member",
                f"member: {corp.dn('dan')}")  # fmt: skip
    changes(corp)
    assert corp.members() == {"primary": {"ann", "bob"}, "above": {"dan"}}
    corp.move(corp.group_dn("primary"), "CN=primary", corp.elsewhere)
    changes(corp)
    assert corp.members() == {"above": {"dan"}}
    corp.move(f"CN=primary,{corp.elsewhere}", "CN=primary", corp.groups)
    changes(corp)
    assert corp.members() == {"primary": {"ann", "bob"}, "above": {"dan"}}
    corp.replace(corp.dn("ann"), "primaryGroupID", before)
    corp.change(corp.group_dn("primary"), "changetype: modify", "delete: member",
                f"member: {corp.dn('ann')}")  # fmt: skip
    changes(corp)
    assert corp.members() == {"primary": {"bob"}, "above": {"dan"}}
    assert corp.company.sync("full").written == 0


def test_a_unit_that_is_moved_takes_its_people_along(corp):
    corp.move(corp.dn("ann"), "CN=ann", f"OU=Staff,{corp.people}")
    corp.company.sync("full")
    corp.move(f"OU=Staff,{corp.people}", "OU=Staff", corp.elsewhere)
    changes(corp)
    assert corp.company.inactive() == {"ann"}


def test_a_read_of_changes_asks_for_nobody_who_did_not_change(corp):
    corp.company.sync("full")
    assert changes(corp).entries == 0


def test_people_moved_out_all_at_once_wait_for_a_word(corp):
    corp.company.sync("full")
    for name in ("ann", "bob", "cleo", "dan"):
        corp.move(corp.dn(name), f"CN={name}", corp.elsewhere)
    report = changes(corp)
    assert report.held == {"absent": 4}
    assert corp.company.inactive() == set()
    assert corp.company.sync("full").plans
    assert corp.company.inactive() == set()


def test_another_filter_is_a_reason_to_read_everything(corp):
    corp.company.sync("full")
    corp.write_mapping(("(objectClass=user))", "(objectClass=user)(!(cn=dan)))"))
    report = corp.company.sync("changes")
    assert (report.mode, report.verdict) == ("full", "COMPLETE")
    assert corp.company.inactive() == {"dan"}
