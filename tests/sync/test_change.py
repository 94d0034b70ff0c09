"""What a person's change is, which limits guard it, and what goes live while some of it waits."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import orjson
import pytest

from bridge.mapping import Mapping
from bridge.model import ENTERPRISE_URN, Entry, Kind, Link, Served, resource_id
from bridge.store.resources import render
from bridge.store.tables import OverrideRow
from bridge.sync import catalog, change
from bridge.sync.change import OVERRIDE, Draft, as_first_load, because_of_edit, compose
from bridge.sync.identity import left_name
from tests.sync.conftest import MAPPING, NOW, person

HR = catalog.compile(MAPPING.format(limits=""), "hr.yaml")
ID = resource_id(Kind.USER, "hr", "P2")
BOSS = Link((ENTERPRISE_URN, "manager", "value"), "externalId", "P1", "userName")


def edited(*changes: tuple[str, str]) -> Mapping:
    text = HR.text
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    return catalog.compile(text, "hr.yaml")


def entry(**changes: str) -> Entry:
    row = {name: value for name, value in person(2, **changes).items() if value}
    return Entry(row["id"], row, orjson.dumps(row)[:16])


def served(**changes: Any) -> Served:
    """P2 as served when everything of the record was live."""
    mapped = HR.person([entry()], NOW)
    assert mapped.resource is not None
    attributes = {**mapped.resource.attributes}
    attributes[ENTERPRISE_URN] = {
        **attributes[ENTERPRISE_URN],
        "manager": {"value": "p1@example.com"},
    }
    before = Served(
        position=2,
        id=ID,
        key="P2",
        user_name="p2@example.com",
        active=True,
        ever_active=True,
        document=b"",
        links=mapped.resource.links,
        groups=frozenset({"department-1"}),
        reason="employed",
    )
    inside = {name: changes.pop(name) for name in ("title",) if name in changes}
    before = replace(before, **changes)
    same = {"active": before.active, "userName": before.user_name}
    return replace(before, document=render(ID, Kind.USER, {**attributes, **inside, **same}))


def draft(
    key: str,
    entries: list[Entry],
    before: Served | None,
    mapping: Mapping,
    now: datetime,
    override: OverrideRow | None = None,
) -> Draft:
    mapped = change.mapped(entries, before, mapping, now)
    return change.draft(key, entries, before, mapping, mapped, override)


def make(before: Served | None = None, mapping: Mapping = HR, **changes: str) -> Draft:
    return draft("P2", [entry(**changes)], before, mapping, NOW)


def override(active: bool, until: timedelta | None = None) -> OverrideRow:
    return OverrideRow(
        source_id=1, person_key="P2", active=active, reason="asked", actor="ann", created_at=NOW,
        until=NOW + until if until else None,
    )  # fmt: skip


LEFT = {"end": "2026-06-14"}
BY_ID = ("{ expr: mail | lower", "{ expr: \"f'{id}@example.com'\"")
AWAY = {"active": False, "reason": "last day has passed"}


@pytest.mark.parametrize(
    ("before", "changes", "kinds"),
    [
        pytest.param(None, {}, {"new": "active"}, id="a newcomer"),
        pytest.param(None, LEFT, {"new": "inactive"}, id="a newcomer who has left already"),
        pytest.param({}, {}, {}, id="nothing"),
        pytest.param({}, {"first": "Another"}, {}, id="a change that no limit guards"),
        pytest.param({}, LEFT, {"disabled": "inactive"}, id="a rule fires"),
        pytest.param({}, {"title": "Test"}, {"absent": "inactive"}, id="skipped: left the scope"),
        pytest.param(AWAY, {}, {"reactivated": "active"}, id="back"),
        pytest.param(
            {**AWAY, "ever_active": False}, {}, {"new": "active"}, id="for the first time"
        ),
        pytest.param(AWAY, LEFT, {}, id="still away"),
        pytest.param(AWAY, {**LEFT, "mail": "n@x.y", "title": "", "dept": "2"}, {}, id="unseen"),
        pytest.param({}, {"mail": "n@x.y"}, {"renamed": "n@x.y"}, id="renamed"),
        pytest.param({}, {"mail": "P2@Example.COM"}, {}, id="the same name in capitals"),
        pytest.param(
            {**AWAY, "user_name": left_name(ID)}, {}, {"reactivated": "active"}, id="own name again"
        ),
        pytest.param({}, {"title": ""}, {"emptied:title": ""}, id="a title emptied"),
        pytest.param(
            {}, {"boss": ""}, {f"emptied:{ENTERPRISE_URN}/manager": ""}, id="a manager emptied"
        ),
        pytest.param({}, {"dept": "2"}, {"memberships": "department-1"}, id="another group"),
        pytest.param(
            {"groups": frozenset({"department-1", "b", "a"})},
            {},
            {"memberships": "a\nb"},
            id="out of two groups",
        ),
        pytest.param(
            {},
            {**LEFT, "mail": "n@x.y", "title": "", "dept": "2"},
            {"disabled": "inactive", "renamed": "n@x.y", "emptied:title": ""},
            id="several at once: who leaves is not guarded as a member as well",
        ),
    ],
)
def test_each_way_to_differ_is_a_kind_with_its_target(
    before: dict[str, Any] | None, changes: dict[str, str], kinds: dict[str, str]
) -> None:
    assert make(None if before is None else served(**before), **changes).kinds == kinds


def test_memberships_count_each_and_everything_else_once() -> None:
    new = make(served(groups=frozenset("abc")), mail="n@x.y")
    assert (new.weight("memberships"), new.weight("renamed")) == (3, 1)


def test_an_absent_person_keeps_everything_but_the_groups() -> None:
    before = served()
    new = draft("P2", [], before, HR, NOW)
    assert new.kinds == {"absent": "inactive"}
    assert new.after is not None
    assert new.after.attributes == {**before.attributes, "active": False}
    assert (new.after.links, new.groups) == (before.links, ())
    assert new.reason == "no longer in the source"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [(LEFT, "last day has passed"), ({"title": "Test"}, "left scope: test account")],
)
def test_the_reason_is_the_mappings(changes: dict[str, str], reason: str) -> None:
    assert make(served(), **changes).reason == reason


def test_somebody_inactive_who_vanishes_keeps_the_reason_of_then() -> None:
    assert draft("P2", [], served(**AWAY), HR, NOW).reason == "last day has passed"


def test_nobody_comes_of_a_person_who_was_never_served_and_is_not_wanted() -> None:
    for records in ([], [entry(title="Test")], [entry(mail="")]):
        new = draft("P2", records, None, HR, NOW)
        assert (new.after, new.kinds) == (None, {})


# -- faults ------------------------------------------------------------------------------------


def test_a_faulty_record_keeps_the_last_good_values_and_state() -> None:
    before = served(title="Chief")
    new = make(before, mail="", title="Clerk")
    assert new.after is not None
    assert (new.after.attributes, new.after.links) == (before.attributes, before.links)
    assert ({group.key for group in new.groups}, new.kinds) == (before.groups, {})
    assert "mail is required" in " ".join(new.faults)
    inactive = make(served(**AWAY), mail="")
    assert inactive.kinds == {}
    assert inactive.reason == "last day has passed"


def test_an_explicit_disable_goes_through_a_faulty_record() -> None:
    before = served()
    new = make(before, mail="", title="", **LEFT)
    assert new.kinds == {"disabled": "inactive"}
    assert new.after is not None
    assert new.after.attributes == {**before.attributes, "active": False}
    assert new.reason == "last day has passed"


def test_a_faulty_record_activates_nobody() -> None:
    assert make(served(**AWAY), mail="").after == replace(
        make(served(**AWAY), **LEFT).after,
        attributes=served(**AWAY).attributes,  # type: ignore[type-var]
    )


# -- overrides and protection ------------------------------------------------------------------


@pytest.mark.parametrize("active", [True, False])
@pytest.mark.parametrize("before", [served(), served(**AWAY)])
@pytest.mark.parametrize("records", [[entry()], [entry(**LEFT)], [entry(mail="")], []])
def test_an_override_wins_over_every_source_and_no_limit_guards_it(
    active: bool, before: Served, records: list[Entry]
) -> None:
    new = draft("P2", records, before, HR, NOW, override(active))
    assert new.after is not None
    assert new.after.attributes["active"] is active
    assert not new.kinds.keys() & {"disabled", "absent", "reactivated", "new"}
    assert (new.reason, new.cause) == ("override by ann: asked", OVERRIDE)


def test_an_override_activates_nobody_whose_name_went_to_somebody_else() -> None:
    gone = served(**AWAY, user_name=left_name(ID))
    new = draft("P2", [], gone, HR, NOW, override(True))
    assert new.after is not None
    assert new.after.attributes["active"] is False
    assert "userName went to somebody else" in new.faults[0]
    back = draft("P2", [entry()], gone, HR, NOW, override(True))
    assert back.after is not None
    assert (back.after.attributes["active"], back.faults) == (True, ())


def test_an_override_lets_the_limits_guard_everything_else() -> None:
    new = draft("P2", [entry(title="", mail="n@x.y")], served(), HR, NOW, override(False))
    assert new.kinds == {"renamed": "n@x.y", "emptied:title": ""}
    assert new.cause == OVERRIDE


def test_a_newcomer_with_an_override_is_new_all_the_same() -> None:
    new = draft("P2", [entry()], None, HR, NOW, override(False))
    assert new.kinds == {"new": "inactive"}


def test_the_end_of_an_override_is_a_moment_to_look_again() -> None:
    for until, end, moment in [
        (timedelta(hours=1), "", timedelta(hours=1)),
        (None, "2026-06-15", timedelta(hours=12)),
        (timedelta(hours=1), "2026-06-15", timedelta(hours=1)),
        (timedelta(days=1), "2026-06-15", timedelta(hours=12)),
    ]:
        new = draft("P2", [entry(end=end)], served(), HR, NOW, override(True, until))
        assert new.until == NOW + moment


@pytest.mark.parametrize("name", ["P2", "p2", "P2@Example.com", ID])
@pytest.mark.parametrize("records", [[entry(**LEFT)], [entry(title="Test")], []])
def test_a_protected_person_is_never_deactivated_by_itself(name: str, records: list[Entry]) -> None:
    protecting = edited(("key: id\n", f"key: id\nprotect: ['{name}']\n"))
    assert draft("P2", records, served(), protecting, NOW).kinds == {"protected": "inactive"}
    assert draft("P2", records, served(**AWAY), protecting, NOW).kinds == {}


def test_protection_is_of_the_people_named_and_of_deactivation_alone() -> None:
    protecting = edited(("key: id\n", "key: id\nprotect: [P3]\n"))
    assert make(served(), protecting, **LEFT).kinds == {"disabled": "inactive"}
    protecting = edited(("key: id\n", "key: id\nprotect: [P2]\n"))
    assert make(served(), protecting, mail="n@x.y").kinds == {"renamed": "n@x.y"}
    forced = draft("P2", [entry()], served(), protecting, NOW, override(False))
    assert forced.kinds == {}


# -- edits and first loads ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("edit", "changes", "kinds"),
    [
        (("then: true", "then: false"), {}, {"edited": "inactive"}),
        (("then: true", "then: false"), LEFT, {"disabled": "inactive"}),
        (("title == 'Test'", "title == 'Clerk'"), {}, {"edited": "inactive"}),
        (BY_ID, {}, {"edited": "P2@example.com"}),
        (("  title: title\n", ""), {}, {"emptied:title": ""}),
        (("  title: title\n", ""), {"title": ""}, {"emptied:title": ""}),
        (('key: f"department', 'key: f"unit'), {}, {"memberships": "department-1"}),
    ],
)
def test_what_an_edited_file_does_is_told_from_what_the_source_says(
    edit: tuple[str, str], changes: dict[str, str], kinds: dict[str, str]
) -> None:
    new = make(served(), edited(edit), **changes)
    assert because_of_edit(new, make(served(), **changes)).kinds == kinds


def test_an_edit_that_renames_and_deactivates_is_one_change_with_both_targets() -> None:
    edit = edited(("then: true", "then: false"), BY_ID)
    new = because_of_edit(make(served(), edit), make(served()))
    assert (new.kinds, new.cause) == ({"edited": "inactive\nP2@example.com"}, "edited")


@pytest.mark.parametrize(("changes", "target"), [({}, "active"), (LEFT, "inactive")])
def test_a_first_load_is_one_kind(changes: dict[str, str], target: str) -> None:
    assert as_first_load(make(**changes)).kinds == {"first_load": target}
    nobody = make(mail="")
    assert as_first_load(nobody) == nobody


# -- what goes live while some of it waits -----------------------------------------------------

EVERYTHING = {**LEFT, "first": "Zoe", "mail": "n@x.y", "title": "", "boss": "", "dept": "2"}
MANAGER = f"emptied:{ENTERPRISE_URN}/manager"


@pytest.mark.parametrize(
    ("held", "same"),
    [
        ({"disabled"}, {"active", "groups"}),
        ({"renamed"}, {"userName"}),
        ({"emptied:title"}, {"title"}),
        ({MANAGER}, {"manager"}),
        ({"disabled", "renamed", MANAGER}, {"active", "groups", "userName", "manager"}),
        (set(), set()),
    ],
)
def test_a_held_kind_leaves_its_part_as_served_and_lets_the_rest_through(
    held: set[str], same: set[str]
) -> None:
    before = served()
    after, groups = compose(make(before, **EVERYTHING), held)
    assert after is not None
    served_enterprise = before.attributes[ENTERPRISE_URN]
    enterprise = after.attributes[ENTERPRISE_URN]
    assert after.attributes["name"]["givenName"] == "Zoe"
    assert enterprise["department"] == "Sales"
    assert (after.attributes["active"] is True) == ("active" in same)
    assert (after.attributes["userName"] == before.user_name) == ("userName" in same)
    assert (after.attributes.get("title") == "Clerk") == ("title" in same)
    assert (enterprise.get("manager") == served_enterprise["manager"]) == ("manager" in same)
    assert (after.links == (BOSS,)) == ("manager" in same)
    assert {group.key for group in groups} == {"department-2"} | (
        before.groups if "groups" in same else set()
    )


@pytest.mark.parametrize(
    ("before", "changes", "records"),
    [
        ({}, {"title": "Test"}, True),
        ({}, {}, False),
        (AWAY, {}, True),
        ({**AWAY, "ever_active": False}, {}, True),
        ({"groups": frozenset({"department-1", "a", "b"})}, {}, True),
    ],
)
def test_whoever_is_held_for_the_only_change_stays_as_served(
    before: dict[str, Any], changes: dict[str, str], records: bool
) -> None:
    was = served(**before)
    new = draft("P2", [entry(**changes)] if records else [], was, HR, NOW)
    assert len(new.kinds) == 1
    after, groups = compose(new, new.kinds.keys())
    assert after is not None
    assert (after.attributes["active"], after.attributes["userName"]) == (was.active, was.user_name)
    assert {group.key for group in groups} >= was.groups


def test_a_newcomer_who_is_held_is_not_served() -> None:
    new = make()
    assert compose(new, {"new"}) == (None, ())
    assert compose(new, set())[0] == new.after
