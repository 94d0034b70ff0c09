"""Plans: held, approved, rejected, lapsed, published."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection
from dataclasses import replace
from datetime import timedelta
from itertools import count
from threading import Thread

import pytest
from sqlalchemy import Connection

from bridge.errors import UsageError
from bridge.store import audit, plans
from bridge.store.plans import PlanChange
from bridge.store.tables import PlanRow
from tests.store.company import Company

ANN = PlanChange("ann", "disabled", "inactive", "f1", "active", "inactive: left")
BEN = PlanChange("ben", "disabled", "inactive", "f2")
RENAMED = PlanChange("ann", "renamed", "ann2@x.y", "f1")


def hold(company: Company, *changes: PlanChange, purpose: str = plans.CHANGES) -> PlanRow:
    with company.store.write() as c:
        return plans.create(c, company.source, purpose, changes, 1, company.now)


def state_in(c: Connection, plan: PlanRow) -> str:
    found = plans.get(c, plan.hash)
    assert found is not None
    return found.state


def state(company: Company, plan: PlanRow) -> str:
    with company.store.read() as c:
        return state_in(c, plan)


def test_a_held_plan_shows_its_changes_in_order(company: Company) -> None:
    plan = hold(company, BEN, RENAMED, ANN)
    other = hold(company, ANN._replace(subject="cleo", before="a", after="b"))
    assert (plan.state, json.loads(plan.counts)) == ("held", {"disabled": 2, "renamed": 1})
    with company.store.read() as c:
        assert plan.id is not None
        assert plans.changes(c, plan.id) == [ANN, RENAMED, BEN]
        assert plans.changes(c, plan.id, limit=1, offset=1) == [RENAMED]
        assert plans.size(c, plan) == 2
        assert sorted(plans.outcomes(c, plan.id)) == [("", ""), ("", ""), ("active", ANN.after)]
        assert plans.listing(c) == [other, plan]
        assert plans.listing(c, states=[plans.APPROVED]) == []
        assert plans.listing(c, source_id=company.source + 1) == []


def test_the_newest_plans_are_listed_first(company: Company) -> None:
    first, second = hold(company, ANN), hold(company, BEN, purpose=plans.EDIT)
    with company.store.read() as c:
        assert plans.listing(c) == [second, first]
        assert plans.listing(c, limit=1) == [second]
        assert plans.listing(c, purpose=plans.CHANGES) == [first]


def test_only_what_is_held_waits_for_a_word(company: Company) -> None:
    hold(company, RENAMED)
    decided = hold(company, BEN)
    with company.store.write() as c:
        assert plans.held_kinds(c) == {"disabled", "renamed"}
        plans.approve(c, decided.hash, "eve", company.now)
        assert plans.held_kinds(c) == {"renamed"}


def test_every_held_plan_is_told_once_and_again_when_it_changes(company: Company) -> None:
    first, second, rejected = hold(company, ANN), hold(company, BEN), hold(company, RENAMED)
    with company.store.write() as c:
        plans.reject(c, rejected.hash, "eve", company.now)
        first = plans.amend(c, first, [RENAMED])
        assert plans.untold(c) == [first, second]
        plans.told(c, first)
        plans.told(c, second)
        assert plans.untold(c) == []
        second = plans.amend(c, second, [ANN])
        assert plans.untold(c) == [second]


def test_of_two_words_on_one_plan_the_second_is_refused(company: Company) -> None:
    plan = hold(company, ANN)
    refused: list[str] = []

    def reject() -> None:
        with pytest.raises(UsageError) as error, company.store.write() as c:
            plans.reject(c, plan.hash, "ben", company.now)
        refused.append(str(error.value))

    other = Thread(target=reject)
    with company.store.write() as c:
        plans.approve(c, plan.hash, "eve", company.now)
        other.start()
        other.join(0.2)
    other.join()
    assert "approved, not held" in refused[0]
    assert state(company, plan) == "approved"


def test_the_hash_covers_who_which_kind_and_which_target(company: Company) -> None:
    plan = hold(company, ANN, BEN)
    assert plan.hash == plans.digest(
        company.source, [("ann", "disabled", "inactive"), ("ben", "disabled", "inactive")]
    )
    same = [BEN, ANN._replace(fact="f9", before="x", after="y")]
    assert hold(company, *same).hash == plan.hash
    others = {
        hold(company, change, BEN).hash
        for change in (ANN._replace(subject="a"), ANN._replace(kind="k"), ANN._replace(target="t"))
    }
    assert plan.hash not in others
    assert len(others) == 3


def test_hashes_of_texts_that_run_together_differ() -> None:
    assert plans.digest(1, [("a", "b", "cd")]) != plans.digest(1, [("a", "bc", "d")])
    assert plans.digest(1, [("a", "b", "c")]) != plans.digest(2, [("a", "b", "c")])


def test_a_plan_is_named_by_any_unique_beginning(company: Company) -> None:
    many = [hold(company, ANN._replace(subject=f"p{number}")) for number in range(40)]
    with company.store.read() as c:
        assert plans.get(c, many[0].hash[:12]) == many[0]
        # Of 40 hashes at least three begin with the same of 16 digits.
        first = Counter(plan.hash[0] for plan in many).most_common(1)[0][0]
        with pytest.raises(UsageError, match="more of the hash"):
            plans.get(c, first)
        assert plans.get(c, "") is None
        assert plans.get(c, "zz") is None


def test_a_beginning_that_two_plans_have_names_neither(company: Company) -> None:
    first_of: dict[str, PlanRow] = {}
    for number in count():
        plan = hold(company, ANN._replace(subject=f"p{number}"))
        other = first_of.setdefault(plan.hash[0], plan)
        if other is not plan:
            break
    with company.store.read() as c, pytest.raises(UsageError, match="more of the hash"):
        plans.get(c, plan.hash[0])


def test_of_two_plans_with_the_same_changes_the_newest_is_meant(company: Company) -> None:
    hold(company, ANN)
    newest = hold(company, ANN)
    with company.store.read() as c:
        assert plans.get(c, newest.hash) == newest


@pytest.mark.parametrize(
    ("subjects", "kinds", "part", "rest"),
    [
        ({"ann"}, (), [ANN, RENAMED], [BEN]),
        ((), {"disabled"}, [ANN, BEN], [RENAMED]),
        ({"ann"}, {"disabled"}, [ANN], [RENAMED, BEN]),
        ({"ann", "ben"}, {"renamed"}, [RENAMED], [ANN, BEN]),
    ],
)
def test_a_part_becomes_a_plan_of_its_own_and_the_rest_stays_held(
    company: Company,
    subjects: Collection[str],
    kinds: Collection[str],
    part: list[PlanChange],
    rest: list[PlanChange],
) -> None:
    plan = hold(company, ANN, RENAMED, BEN)
    with company.store.write() as c:
        split = plans.split(c, plan, subjects, kinds)
        assert plan.id is not None
        assert split.id is not None
        left = plans.by_id(c, plan.id)
        assert plans.changes(c, split.id) == part
        assert plans.changes(c, plan.id) == rest
        assert (left.state, split.state) == ("held", "held")
        assert len({plan.hash, left.hash, split.hash}) == 3
        assert split.created_at == plan.created_at


def test_a_kind_with_a_path_is_of_the_kind_before_it_too(company: Company) -> None:
    emptied = ANN._replace(kind="emptied:title")
    plan = hold(company, emptied, BEN)
    with company.store.write() as c:
        split = plans.split(c, plan, (), {"emptied"})
        assert json.loads(split.counts) == {"emptied:title": 1}


def test_a_part_that_is_all_of_it_is_the_plan_itself(company: Company) -> None:
    plan = hold(company, ANN, BEN)
    with company.store.write() as c:
        assert plans.split(c, plan, {"ann", "ben"}, ()) == plan
        assert len(plans.listing(c)) == 1


def test_a_part_of_nothing_and_of_what_goes_live_whole_is_refused(company: Company) -> None:
    plan = hold(company, ANN)
    edit = hold(company, BEN, purpose=plans.EDIT)
    with company.store.write() as c:
        with pytest.raises(UsageError, match="nothing of that is in the plan"):
            plans.split(c, plan, {"ben"}, ())
        with pytest.raises(UsageError, match="goes live whole"):
            plans.split(c, edit, {"ben"}, ())
        plans.approve(c, plan.hash, "eve", company.now)
        for subject in ("ann", "ben"):
            with pytest.raises(UsageError, match="approved, not held"):
                plans.split(c, plan, {subject}, ())
        assert plans.changes(c, plan.id or 0) == [ANN]


@pytest.mark.parametrize(
    ("subjects", "kinds", "words"),
    [
        ((), {"renamed", "bogus"}, "plan: --kind 'bogus'; its kinds are disabled, renamed: "),
        ((), {"no longer in the source"}, "--kind 'no longer in the source'; its kinds are "),
        ({"ann", "zoe"}, (), "plan: --person zoe; its kinds are disabled, renamed: "),
        ({"ben"}, {"renamed"}, "nothing of that is in the plan; its kinds are disabled, renamed"),
    ],
)
def test_each_person_and_kind_has_to_be_in_the_plan(
    company: Company, subjects: Collection[str], kinds: Collection[str], words: str
) -> None:
    plan = hold(company, ANN, RENAMED, BEN)
    with company.store.write() as c:
        with pytest.raises(UsageError, match=words):
            plans.split(c, plan, subjects, kinds)
        assert plans.changes(c, plan.id or 0) == [ANN, RENAMED, BEN]


def test_an_approval_makes_people_due_and_stands_in_the_audit(company: Company) -> None:
    plan = hold(company, ANN, RENAMED, BEN)
    with company.store.write() as c:
        approved = plans.approve(c, plan.hash[:12], "eve", company.now)
    assert (approved.state, approved.decided_by, approved.decided_at) == (
        "approved", "eve", company.now,
    )  # fmt: skip
    assert state(company, plan) == "approved"
    assert company.due() == ["ann", "ben"]
    with company.store.read() as c:
        (row,) = audit.find(c, audit.Search())
    assert (row.action, row.actor, json.loads(row.detail)) == (
        "plan approved", "eve", {"plan": plan.hash},
    )  # fmt: skip


@pytest.mark.parametrize("decide", [plans.approve, plans.reject])
def test_only_a_held_plan_can_be_decided(company: Company, decide: object) -> None:
    assert callable(decide)
    plan = hold(company, ANN)
    with company.store.write() as c:
        plans.reject(c, plan.hash, "eve", company.now)
        with pytest.raises(UsageError, match="rejected, not held"):
            decide(c, plan.hash, "eve", company.now)
        with pytest.raises(UsageError, match="there is no plan"):
            decide(c, "ffff", "eve", company.now)


def test_open_plans_speak_of_their_people(company: Company) -> None:
    first, second = hold(company, ANN, BEN), hold(company, RENAMED)
    with company.store.write() as c:
        plans.reject(c, second.hash, "eve", company.now)
        opened = plans.open_changes(c, company.source, ["ann", "zoe"])
        assert plans.open_changes(c, company.source + 1, ["ann"]) == {}
        assert plans.open_changes(c, company.source, ["ann"], [plans.EDIT]) == {}
    assert set(opened) == {"ann"}
    change = opened["ann"]["disabled"]
    assert (change.plan_id, change.plan_hash, change.state, change.target, change.fact) == (
        first.id, first.hash, "held", "inactive", "f1",
    )  # fmt: skip
    rejected = opened["ann"]["renamed"]
    assert (rejected.state, rejected.actor, rejected.purpose) == ("rejected", "eve", "changes")


def test_of_several_open_plans_the_newest_speaks(company: Company) -> None:
    oldest = hold(company, ANN)
    newest = hold(company, ANN._replace(target="later"))
    with company.store.write() as c:
        plans.amend(c, oldest, [ANN._replace(target="last")])
        change = plans.open_changes(c, company.source, ["ann"])["ann"]["disabled"]
    assert (change.plan_id, change.target) == (newest.id, "later")


def test_an_approval_lapses_after_a_day_and_its_people_are_due(company: Company) -> None:
    plan = hold(company, ANN)
    with company.store.write() as c:
        plans.approve(c, plan.hash, "eve", company.now)
    with company.publication() as p:
        p.set_due(company.source, {"ann": None}, as_of=1000)
    for passed, expected in (
        (timedelta(hours=23, minutes=59), []),
        (timedelta(minutes=1), [plan.id]),
        (timedelta(days=1), []),
    ):
        company.now += passed
        with company.store.write() as c:
            assert [lapsed.id for lapsed in plans.lapse(c, company.now)] == expected
    assert state(company, plan) == "lapsed"
    assert company.due() == ["ann"]
    with company.store.read() as c:
        assert plans.open_changes(c, company.source, ["ann"]) == {}


@pytest.mark.parametrize(
    ("before", "after"), [("held", "lapsed"), ("rejected", "lapsed"), ("approved", "published")]
)
def test_a_plan_ends_with_its_last_open_change(company: Company, before: str, after: str) -> None:
    plan = hold(company, ANN, BEN)
    with company.store.write() as c:
        if before != "held":
            decide = plans.approve if before == "approved" else plans.reject
            decide(c, plan.hash, "eve", company.now)
        opened = plans.open_changes(c, company.source, ["ann", "ben"])
        plans.settle(c, [opened["ann"]["disabled"]])
        assert state_in(c, plan) == before
        plans.settle(c, [opened["ben"]["disabled"]])
        plans.settle(c, [])
    assert state(company, plan) == after


def test_a_plan_ends_by_its_own_changes_alone(company: Company) -> None:
    empty = hold(company, purpose=plans.FIRST_LOAD)
    ended, other = hold(company, ANN), hold(company, BEN)
    with company.store.write() as c:
        opened = plans.open_changes(c, company.source, ["ann"])
        plans.settle(c, [opened["ann"]["disabled"]])
        states = [state_in(c, plan) for plan in (empty, ended, other)]
    assert states == ["held", "lapsed", "held"]


def test_of_two_plans_for_the_same_people_each_keeps_what_was_not_settled(company: Company) -> None:
    first, second = hold(company, ANN, BEN), hold(company, ANN, BEN)
    assert first.id is not None
    assert second.id is not None
    with company.store.write() as c:
        opened = plans.open_changes(c, company.source, ["ann", "ben"])
        of_first = replace(opened["ann"]["disabled"], plan_id=first.id)
        plans.settle(c, [of_first, opened["ben"]["disabled"]])
        assert plans.changes(c, first.id) == [BEN]
        assert plans.changes(c, second.id) == [ANN]


def test_a_rejected_plan_that_is_held_anew_was_decided_by_nobody(company: Company) -> None:
    plan, other = hold(company, ANN), hold(company, BEN)
    with company.store.write() as c:
        for each in (plan, other):
            plans.reject(c, each.hash, "eve", company.now)
        plans.reopen(c, plan)
        assert plan.id is not None
        assert plans.by_id(c, plan.id) == plan
        assert state_in(c, other) == "rejected"


def test_what_is_held_anew_takes_no_approval_back(company: Company) -> None:
    plan = hold(company, ANN)
    with company.store.write() as c:
        plans.approve(c, plan.hash, "eve", company.now)
        plans.reopen(c, plan)
    assert state(company, plan) == "approved"


def test_a_first_load_that_is_held_follows_what_is_read(company: Company) -> None:
    plan = hold(company, ANN, purpose=plans.FIRST_LOAD)
    with company.store.write() as c:
        more = plans.amend(c, plan, [BEN, ANN._replace(target="other")])
        assert json.loads(more.counts) == {"disabled": 2}
        fewer = plans.drop(c, more, [("ann", "disabled"), ("nobody", "disabled")])
        assert plan.id is not None
        assert plans.changes(c, plan.id) == [BEN]
        assert len({plan.hash, more.hash, fewer.hash}) == 3
        plans.approve(c, fewer.hash, "eve", company.now)
        for change in (plans.amend, plans.drop):
            with pytest.raises(UsageError, match="not held"):
                change(c, fewer, [])


def test_a_plan_that_was_overtaken_lapses(company: Company) -> None:
    plan, other = hold(company, ANN, purpose=plans.EDIT), hold(company, BEN)
    with company.store.write() as c:
        plans.overtake(c, plan)
    assert (state(company, plan), state(company, other)) == ("lapsed", "held")


def test_a_plan_of_many_people_is_streamed(company: Company) -> None:
    changes = (ANN._replace(subject=f"p{number:05d}") for number in range(12_000))
    with company.store.write() as c:
        plan = plans.create(c, company.source, plans.FIRST_LOAD, changes, 1, company.now)
        plans.approve(c, plan.hash, "eve", company.now)
        assert plans.size(c, plan) == 12_000
    assert len(company.due()) == 500
