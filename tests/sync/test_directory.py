"""A directory, from a real slapd to Okta's side: people, and links by DN."""

from __future__ import annotations

import pytest

from bridge.sync.why import why
from tests.sync.university import uni

__all__ = ["uni"]


def reason(uni, uid):
    """Why somebody is inactive, as `bridge why` tells it."""
    found = why(uni.company.store, f"{uid}@uni.example", uni.company.now)
    assert found.person.served is not None
    return found.person.served.reason


def test_the_people_of_a_directory_are_served_and_its_groups_are_no_people(uni):
    uni.group("g", "alice")
    report = uni.company.sync("full")
    assert (report.verdict, report.entries, report.problems) == ("COMPLETE", 4, 0)
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
    uni.group("g", "alice")
    uni.company.sync("full")
    for uid in ("alice", "boss", "carol"):
        uni.change(uni.dn(uid), "changetype: delete")
    report = uni.company.sync("full")
    assert report.verdict == "INCOMPLETE"
    assert "3 records" in report.reason
    assert uni.company.inactive() == set()


def test_who_is_present_after_a_restart_but_was_never_read_makes_everything_be_read(uni):
    uni.company.sync("full")
    uni.slapd.deny(f'dn.exact="{uni.dn("carol")}"')
    uni.company.sync("full")
    assert uni.company.inactive() == {"carol"}
    uni.slapd.deny()
    assert uni.company.sync("changes").entries == 0, "rights are no change"
    uni.slapd.stop()
    uni.slapd.start()
    report = uni.company.sync("changes")
    assert (report.verdict, report.entries, report.problems) == ("COMPLETE", 3, 0)
    assert uni.company.inactive() == set()


def test_who_left_while_the_server_lost_its_log_is_inactive_by_a_read_of_changes(uni):
    uni.group("g", "alice", "carol")
    uni.company.sync("full")
    uni.change(uni.dn("carol"), "changetype: delete")
    uni.slapd.stop()
    uni.slapd.start()
    report = uni.company.sync("changes")
    assert (report.verdict, report.entries, report.gone) == ("COMPLETE", 0, 1)
    assert uni.company.inactive() == {"carol"}
    assert uni.members() == {"g": {"alice"}}


def test_a_filter_that_matches_nobody_any_more_is_not_believed_after_a_restart(uni):
    uni.company.sync("full")
    for uid in ("alice", "boss", "carol"):
        uni.change(uni.dn(uid), "changetype: delete")
    uni.slapd.stop()
    uni.slapd.start()
    report = uni.company.sync("changes")
    assert (report.verdict, "3 records" in report.reason) == ("INCOMPLETE", True)
    assert uni.company.inactive() == set()


def test_the_departure_of_everybody_is_not_believed_by_a_read_of_changes_either(uni):
    uni.company.sync("full")
    for uid in ("alice", "boss", "carol"):
        uni.change(uni.dn(uid), "changetype: delete")
    report = uni.company.sync("changes")
    assert (report.verdict, "3 records" in report.reason) == ("INCOMPLETE", True)
    assert uni.company.inactive() == set()


def test_who_left_the_scope_is_told_from_who_is_not_there_any_more(uni):
    uni.company.sync("full")
    uni.change(uni.dn("carol"), "changetype: delete")
    uni.company.sync("changes")
    uni.move("alice", "cn=alice", uni.groups)
    uni.company.sync("changes")
    assert reason(uni, "carol") == "no longer in the source"
    left = "left scope: still in the source, but not where `base` and `filter` look"
    assert reason(uni, "alice") == left
    uni.company.sync("full")
    assert reason(uni, "alice") == left
    assert uni.company.inactive() == {"alice", "carol"}
