"""The groups of a directory, from a real slapd to Okta's side: whom they have as members."""

from __future__ import annotations

from random import Random

import pytest

from tests.sync.university import uni

__all__ = ["uni"]

FULL_AND_CHANGES = pytest.mark.parametrize("mode", ["full", "changes"])


def test_a_group_has_the_people_that_it_and_its_member_groups_name(uni):
    uni.group("inner", "carol")
    uni.group("middle", uni.group_dn("inner"), "boss")
    uni.group("outer", uni.group_dn("middle"), "alice")
    report = uni.company.sync("full")
    assert (report.verdict, report.problems) == ("COMPLETE", 0)
    assert uni.members() == {
        "inner": {"carol"},
        "middle": {"carol", "boss"},
        "outer": {"carol", "boss", "alice"},
    }


def test_without_flatten_a_group_has_its_own_people_alone(uni):
    uni.write_mapping(("nested: flatten", "nested: direct"))
    uni.group("inner", "carol")
    uni.group("outer", uni.group_dn("inner"), "alice")
    uni.company.sync("full")
    assert uni.members() == {"inner": {"carol"}, "outer": {"alice"}}


def test_groups_that_contain_each_other_have_the_same_people(uni):
    uni.group("one", "alice", uni.group_dn("two"))
    uni.group("two", "boss", uni.group_dn("three"))
    uni.group("three", "carol", uni.group_dn("one"), uni.group_dn("three"))
    uni.company.sync("full")
    everybody = {"alice", "boss", "carol"}
    assert uni.members() == {"one": everybody, "two": everybody, "three": everybody}
    uni.leave("three", uni.group_dn("one"))
    uni.company.sync("changes")
    assert uni.members() == {"one": everybody, "two": {"boss", "carol"}, "three": {"carol"}}


@FULL_AND_CHANGES
def test_who_joins_or_leaves_an_inner_group_does_so_in_the_outer_ones(uni, mode):
    uni.group("inner", "carol", "boss")
    uni.group("middle", uni.group_dn("inner"))
    uni.group("outer", uni.group_dn("middle"))
    uni.company.sync("full")
    uni.join("inner", "alice")
    uni.leave("inner", "boss")
    report = uni.company.sync(mode)
    assert (report.verdict, report.written) == ("COMPLETE", 2)
    for name in ("inner", "middle", "outer"):
        assert uni.members()[name] == {"alice", "carol"}


@FULL_AND_CHANGES
def test_a_group_put_into_another_brings_its_people(uni, mode):
    uni.group("inner", "carol")
    uni.group("outer", "alice")
    uni.company.sync("full")
    uni.join("outer", uni.group_dn("inner"))
    uni.company.sync(mode)
    assert uni.members()["outer"] == {"alice", "carol"}
    uni.leave("outer", uni.group_dn("inner"))
    uni.company.sync(mode)
    assert uni.members()["outer"] == {"alice"}


def test_only_the_groups_that_changed_are_news_to_okta(uni):
    uni.group("one", "alice")
    uni.group("two", "alice", "boss")
    uni.company.sync("full")
    before = uni.company.groups()
    people = uni.company.served()
    uni.join("one", "carol")
    uni.company.sync("full")
    after = uni.company.groups()
    assert before["two"]["meta"] == after["two"]["meta"]
    assert before["one"]["meta"] != after["one"]["meta"]
    assert people == uni.company.served()


def test_a_changed_group_is_counted_once_and_as_nobody_who_is_gone(uni):
    uni.group("one", "alice")
    uni.company.sync("full")
    uni.join("one", "carol")
    report = uni.company.sync("changes")
    assert (report.entries, report.changed, report.gone) == (1, 1, 0)


def test_a_renamed_group_keeps_its_id_and_its_people(uni):
    uni.group("inner", "carol")
    uni.group("outer", uni.group_dn("inner"))
    uni.company.sync("full")
    before = uni.company.groups()["inner"]
    uni.change(uni.group_dn("inner"), "changetype: modrdn", "newrdn: cn=core", "deleteoldrdn: 1")
    uni.company.sync("changes")
    after = uni.company.groups()
    assert set(after) == {"core", "outer"}
    assert after["core"]["id"] == before["id"]
    assert uni.members() == {"core": {"carol"}, "outer": {"carol"}}


def test_a_member_who_is_moved_or_renamed_stays_one(uni):
    uni.group("g", "carol", "alice")
    uni.company.sync("full")
    uni.move("carol", "cn=karla", f"ou=staff,{uni.people}")
    uni.company.sync("changes")
    assert uni.members() == {"g": {"alice", "carol"}}


def test_who_takes_the_dn_of_a_former_member_takes_the_membership(uni):
    uni.group("g", "carol", "alice")
    uni.company.sync("full")
    uni.move("carol", "cn=karla", f"ou=staff,{uni.people}")
    uni.add("other", at=uni.dn("carol"))
    uni.company.sync("changes")
    assert uni.members() == {"g": {"alice", "other"}}


def test_a_member_who_is_read_later_is_one_then(uni):
    uni.group("g", "alice", "dave")
    uni.company.sync("full")
    assert uni.members() == {"g": {"alice"}}
    uni.add("dave")
    uni.company.sync("changes")
    assert uni.members() == {"g": {"alice", "dave"}}


def test_who_left_keeps_no_membership(uni):
    uni.group("g", "alice", "carol")
    uni.company.sync("full")
    uni.change(uni.dn("carol"), "changetype: delete")
    uni.company.sync("full")
    assert uni.company.inactive() == {"carol"}
    assert uni.members() == {"g": {"alice"}}


@FULL_AND_CHANGES
def test_a_deleted_group_is_a_hole_and_takes_nobody_s_place(uni, mode):
    uni.group("one", "alice")
    uni.group("two", "carol")
    uni.company.sync("full")
    one, two = uni.company.groups()["one"], uni.company.groups()["two"]
    uni.change(uni.group_dn("one"), "changetype: delete")
    uni.company.sync(mode)
    assert uni.company.groups() == {"two": two}
    with uni.company.client() as client:
        assert client.get(f"/scim/v2/Groups/{one['id']}").status_code == 404
        assert client.get("/scim/v2/Groups").json()["totalResults"] == 2


def test_a_group_without_members_is_served(uni):
    uni.group("lonely", "cn=nobody,dc=elsewhere")
    uni.group("other", "alice")
    uni.company.sync("full")
    assert uni.members() == {"lonely": set(), "other": {"alice"}}
    uni.join("other", "cn=nobody,dc=elsewhere")
    uni.leave("other", "alice")
    uni.company.sync("full")
    assert uni.members() == {"lonely": set(), "other": set()}


def test_more_removed_memberships_than_the_limit_allows_are_held_and_additions_go_on(uni):
    uni.write_mapping(("first_load: publish", "first_load: publish, memberships: 1"))
    uni.add("dave")
    uni.group("g", "alice", "boss", "carol")
    uni.company.sync("full")
    for uid in ("alice", "boss"):
        uni.leave("g", uid)
    uni.join("g", "dave")
    report = uni.company.sync("changes")
    assert report.held == {"memberships": 2}
    assert uni.members() == {"g": {"alice", "boss", "carol", "dave"}}
    assert {change.after for change in uni.company.changes()} == {"no longer in g"}
    uni.company.approve()
    assert uni.members() == {"g": {"carol", "dave"}}


def test_a_deleted_group_stays_as_long_as_the_end_of_its_memberships_is_held(uni):
    uni.write_mapping(("first_load: publish", "first_load: publish, memberships: 1"))
    uni.group("g", "alice", "boss", "carol")
    uni.group("h", "carol")
    uni.company.sync("full")
    uni.change(uni.group_dn("g"), "changetype: delete")
    report = uni.company.sync("full")
    assert report.held == {"memberships": 3}
    assert uni.members()["g"] == {"alice", "boss", "carol"}
    uni.company.approve()
    assert uni.members() == {"h": {"carol"}}


def test_a_group_that_cannot_be_named_keeps_the_old_name_and_is_listed(uni):
    uni.group("g", "alice")
    uni.company.sync("full")
    uni.change(uni.group_dn("g"), "changetype: modify", "add: cn", "cn: second")
    uni.join("g", "carol")
    uni.company.sync("changes")
    assert uni.members() == {"g": {"alice", "carol"}}
    (problem,) = uni.company.problems().values()
    assert uni.group_dn("g") in problem
    assert "displayName" in problem
    uni.change(uni.group_dn("g"), "changetype: modify", "delete: cn", "cn: second")
    uni.company.sync("changes")
    assert uni.company.problems() == {}


@pytest.mark.parametrize("mended_by", ["the directory", "the file"])
def test_a_new_group_that_cannot_be_named_is_served_with_its_people_once_it_can(uni, mended_by):
    uni.group("g", "alice")
    uni.change(uni.group_dn("g"), "changetype: modify", "add: cn", "cn: second")
    uni.company.sync("full")
    assert uni.members() == {}
    assert len(uni.company.problems()) == 1
    if mended_by == "the directory":
        uni.change(uni.group_dn("g"), "changetype: modify", "delete: cn", "cn: second")
    else:
        uni.write_mapping(("displayName: cn\n    members", "displayName: cn | first\n    members"))
    report = uni.company.sync("changes")
    assert report.mode == "changes", "nothing but what is in the store is needed"
    assert uni.members() == {"g": {"alice"}}
    assert uni.company.problems() == {}


def test_an_edit_of_nested_is_decided_on_what_was_read(uni):
    uni.group("inner", "carol")
    uni.group("outer", uni.group_dn("inner"), "alice")
    uni.company.sync("full")
    uni.write_mapping(("nested: flatten", "nested: direct"))
    assert uni.company.sync("decide").mode == "decide"
    assert uni.members() == {"inner": {"carol"}, "outer": {"alice"}}


def test_an_edit_of_members_reads_every_group_anew(uni):
    uni.group("g", "alice", owner=uni.dn("carol"))
    uni.company.sync("full")
    uni.write_mapping(("members: member | ref('dn')", "members: owner | ref('dn')"))
    report = uni.company.sync("changes")
    assert (report.mode, report.verdict) == ("full", "COMPLETE")
    assert uni.members() == {"g": {"carol"}}


def test_an_edit_that_would_empty_groups_is_held_and_the_live_file_goes_on(uni):
    limits = ("first_load: publish", "first_load: publish, memberships: 1")
    uni.write_mapping(limits)
    uni.group("g", "alice", "boss")
    uni.company.sync("full")
    uni.write_mapping(limits, ("members: member | ref('dn')", "members: owner | ref('dn')"))
    assert uni.company.sync("changes").held == {"memberships": 2}
    assert uni.members() == {"g": {"alice", "boss"}}
    uni.join("g", "carol")
    uni.company.sync("changes")
    assert uni.members() == {"g": {"alice", "boss", "carol"}}


def test_a_file_without_groups_any_more_takes_them_out(uni):
    uni.group("g", "alice")
    uni.company.sync("full")
    path = uni.company.mappings / "uni.yaml"
    text = path.read_text()
    path.write_text(text[: text.index("groups:\n")] + text[text.index("tests:\n") :])
    assert uni.company.sync("changes").verdict == "COMPLETE"
    assert uni.members() == {}


def test_no_group_at_all_where_there_were_some_is_not_believed(uni):
    uni.group("one", "alice")
    uni.group("two", "carol")
    uni.company.sync("full")
    for name in ("one", "two"):
        uni.change(uni.group_dn(name), "changetype: delete")
    uni.change(uni.dn("boss"), "changetype: delete")
    report = uni.company.sync("full")
    assert report.verdict == "INCOMPLETE"
    assert f"no group was found under {uni.groups} where there were 2" in report.reason
    assert uni.members() == {"one": {"alice"}, "two": {"carol"}}
    assert uni.company.inactive() == set()


def test_members_can_be_named_by_what_people_are_called_in_scim(uni):
    uni.write_mapping(
        ("members: member | ref('dn')", "members: description | ref('externalId')"),
    )
    uni.group("g", "boss", description="alice")
    uni.company.sync("full")
    assert uni.members() == {"g": {"alice"}}
    uni.change(uni.group_dn("g"), "changetype: modify", "add: description", "description: carol")
    uni.company.sync("changes")
    assert uni.members() == {"g": {"alice", "carol"}}


def test_a_group_that_is_also_worked_out_from_people_is_called_as_the_directory_calls_it(uni):
    uni.write_mapping(
        ("key: entryUUID\n    displayName: cn\n", "key: cn\n    displayName: description\n"),
        (
            "    nested: flatten",
            '    nested: flatten\n  - { key: kind, displayName: "kind | upper" }',
        ),
    )
    uni.group("staff", "cn=nobody,dc=elsewhere", description="The staff")
    uni.company.sync("full")
    assert uni.members() == {"The staff": {"alice", "boss", "carol"}}
    uni.change(uni.dn("alice"), "changetype: modify", "replace: sn", "sn: Married")
    uni.company.sync("changes")
    assert set(uni.members()) == {"The staff"}


@pytest.mark.parametrize("seed", range(3))
def test_whatever_happens_to_groups_the_reads_of_changes_find_what_the_directory_means(uni, seed):
    chance = Random(seed)
    named: dict[str, set[str]] = {}  # by the first cn of a group: uids, and first cns of groups
    called: dict[str, str] = {}  # by the first cn: the cn now
    for uid in ("dave", "erin"):
        uni.add(uid)
    people = ["alice", "boss", "carol", "dave", "erin"]
    for number in range(4):
        first = f"g{number}"
        named[first], called[first] = {people[number]}, first
        uni.group(first, "cn=nobody,dc=elsewhere", people[number])
    uni.company.sync("full")
    # The directory goes on calling everybody as it did when the member was added.
    dn_then = {uid: uni.dn(uid) for uid in people}
    at_home = list(people)
    for step in range(25):
        group = chance.choice(list(named))
        action = chance.choice(("join", "join", "leave", "nest", "rename", "move"))
        if action in ("join", "nest"):
            others = people if action == "join" else list(named)
            if new := [each for each in others if each not in named[group]]:
                member = chance.choice(new)
                dn_then.setdefault(member, uni.group_dn(member))
                uni.join(called[group], dn_then[member])
                named[group].add(member)
        elif action == "leave" and named[group]:
            member = chance.choice(sorted(named[group]))
            uni.leave(called[group], dn_then[member])
            named[group].remove(member)
        elif action == "rename":
            dn_then.setdefault(group, uni.group_dn(group))
            name = f"{group}-{step}"
            uni.change(
                uni.group_dn(called[group]), "changetype: modrdn", f"newrdn: cn={name}",
                "deleteoldrdn: 1",
            )  # fmt: skip
            called[group] = name
        elif action == "move" and at_home:
            uid = at_home.pop()
            uni.move(uid, f"cn={uid}", f"ou=staff,{uni.people}")
        assert uni.company.sync("changes").verdict == "COMPLETE"
        assert uni.members() == {called[first]: _people(first, named) for first in named}
    assert uni.company.sync("full").written == 0


def _people(group: str, named: dict[str, set[str]]) -> set[str]:
    """The people in a group at any depth, worked out the plain way."""
    seen, pending = {group}, [group]
    while pending:
        for each in named.get(pending.pop(), ()):
            if each not in seen:
                seen.add(each)
                pending.append(each)
    return seen - named.keys()
