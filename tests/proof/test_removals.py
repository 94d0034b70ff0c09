"""Each protection is taken out, and the watch of `tests/proof` has to notice it.

A short life in which the protection matters: with it every promise is kept, without it one is not.
"""

from __future__ import annotations

from functools import cache

import pytest

from bridge.store import records
from bridge.store.publication import Publication
from tests.proof import lives, removals
from tests.proof.life import Life
from tests.proof.removals import Out, unlimited

REMOVED: dict[str, tuple[Out, lives.Lived, str]] = {
    "1 an incomplete read proves no absence": (
        removals.INCOMPLETE_IS_WHOLE, lives.fault("doubtful", 4), "promise 1"),
    "1 a read that ends without a verdict": (
        removals.INCOMPLETE_IS_WHOLE, lives.fault("silent", 4), "promise 1"),
    "1 a read that breaks off": (removals.CUT_IS_WHOLE, lives.fault("cut", 4), "promise 1"),
    "1 nothing after something": (removals.NOTHING_IS_BELIEVED, lives.one_is_alone, "promise 1"),
    "1 no team after some": (removals.NOTHING_IS_BELIEVED, lives.teams_are_lost, "another team"),
    "1 a read of changes proves no absence": (
        removals.CHANGES_ARE_WHOLE, lives.all_but_one_change, "promise 1"),
    "1 a record that cannot be mapped": (removals.FAULTY_LEAVES, lives.one(last=""), "promise 1"),
    "1 a read of older things": (
        removals.ANY_AGE_IS_BELIEVED, lives.an_older_one_comes, "who left is active again"),
    "2 leavers stay in the list": (
        removals.LEAVERS_ARE_NOT_LISTED, lives.one_leaves, "promise 2"),
    "2 everybody has a place": (removals.NEWEST_FIRST, lives.one_comes, "promise 2"),
    "2 ids are derived": (
        removals.ANY_ID, lives.restored(lives.one_comes, "full"), "Okta removes somebody"),
    "3 one transaction a publication": (
        removals.IN_PARTS, lives.store_fails(Publication, "drop_empty_groups"), "promise 3"),
    "3 nobody shares a name": (
        removals.NAMES_ARE_SHARED, lives.one(mail="zq2@example.com"), "promise 3"),
    "3 no group is empty": (removals.GROUPS_OF_NOBODY, lives.group_is_left, "promise 3"),
    "4 absent": (unlimited("absent"), lives.two_vanish, "promise 4: 2 absent"),
    "4 disabled": (unlimited("disabled"), lives.five_leave, "promise 4: 5 disabled"),
    "4 reactivated": (unlimited("reactivated"), lives.two_come_back, "promise 4: 2 reactivated"),
    "4 edited": (unlimited("edited"), lives.chiefs_are_dropped, "promise 4: 2 edited"),
    "4 renamed": (unlimited("renamed"), lives.five_swap, "promise 4: 5 renamed"),
    "4 emptied": (unlimited("emptied"), lives.changed(title=""), "promise 4: 5 emptied"),
    "4 new": (unlimited("new"), lives.five_come, "promise 4: 5 new"),
    "4 memberships": (
        unlimited("memberships"), lives.changed(dept="3"), "promise 4: 5 memberships"),
    "4 per_day": (removals.NO_DAY, lives.two_and_two_leave, "promise 4: 4 in one day"),
    "4 protect": (removals.NO_PROTECT, lives.one_is_protected, "promise 4: somebody protected"),
    "4 a file that is gone pauses its source": (
        removals.PAUSED_GOES_ON, lives.file_is_gone, "a source without a file goes on"),
    "5 a disable goes through while others wait": (
        removals.ALL_OR_NONE, lives.another_waits, "promise 5"),
    "5 a disable goes through a faulty record": (
        removals.FAULTY_STAYS, lives.one(last="", locked="yes"), "promise 5"),
    "5 a disable goes through an incomplete read": (
        removals.INCOMPLETE_IS_WORTHLESS, lives.seen_in_part, "promise 5"),
    "6 first_load": (removals.NO_FIRST_LOAD, lambda life: None, "promise 6"),
    "6 503 before the first publication": (removals.OPEN_AT_ONCE, lambda life: None, "promise 6"),
    "6 503 after a restore": (
        removals.RESTORED_IS_SERVED, lives.restored(lives.one_leaves, "full"), "promise 6"),
    "6 a restored store is read whole": (
        removals.RESTORED_IS_DECIDED, lives.restored(lives.one_leaves, "decide"), "promise 6"),
    "6 leavers who wait keep a restored store closed": (
        removals.LEAVERS_WAIT_UNSEEN, lives.restored(lives.four_leave, "full"), "promise 6"),
    "7 the cookie is never ahead": (
        removals.COOKIE_FIRST, lives.store_fails(records, "save"), "promise 7"),
    "8 the lease": (removals.NO_LEASE, lives.two_lead, "promise 8"),
    "9 the audit": (removals.NO_AUDIT, lives.one_leaves, "promise 9"),
    "10 no values in messages": (removals.VALUES_ARE_TOLD, lives.one(last=""), "promise 10"),
    "absence in a whole read": (
        removals.NOBODY_IS_ABSENT, lives.one_vanishes(named=False, mode="full"), "P3 is absent"),
    "a deletion that is named": (
        removals.NOBODY_IS_DELETED, lives.one_vanishes(named=True, mode="changes"), "P3 is absent"),
    "somebody left the scope": (removals.SKIPPED_STAYS, lives.one(title="Test"), "P3 is skipped"),
    "a date that passes": (removals.NOBODY_IS_DUE_LATER, lives.day_passes(1), "promise 5"),
    "a clock that is set back": (removals.CLOCK_NEVER_BACK, lives.day_passes(-24), "P3 is active"),
    "an override": (removals.NO_OVERRIDES, lives.one_is_overridden, "an override is not served"),
    "an override ends": (removals.OVERRIDES_FOR_EVER, lives.one_is_overridden, "P3 is active"),
    "an erasure": (
        removals.ERASED_IS_RESTORED, lives.restored(lives.one_is_erased, "full"), "an erased"),
    "a relink": (removals.NO_RELINKS, lives.one_is_rehired, "somebody is new whom nobody stated"),
}  # fmt: skip


def live(lived: lives.Lived, held: bool) -> None:
    life = Life()
    try:
        life.load(held, tells_present=False)
        lived(life)
    finally:
        life.stack.close()


kept = cache(live)


@pytest.mark.parametrize("protection", REMOVED)
def test_a_protection_that_is_taken_out_is_noticed(protection: str) -> None:
    out, lived, words = REMOVED[protection]
    held = protection.startswith("6 ")
    kept(lived, held)
    with out(), pytest.raises(AssertionError, match=words):
        live(lived, held)
