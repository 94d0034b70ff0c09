"""The bridge with one of its protections taken out."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from unittest.mock import patch

from sqlalchemy import Connection, update

from bridge.errors import IncompleteRead
from bridge.mapping import program
from bridge.model import Batch, Mapped, Page, Verdict
from bridge.store import backup, lease, overrides, plans, records, relinks
from bridge.store.pages import Pages
from bridge.store.publication import Publication
from bridge.store.tables import ServingRow, table
from bridge.sync import change, decide, looking, run
from bridge.sync.change import DEACTIVATIONS
from bridge.sync.contest import Contest
from bridge.sync.publish import _Publishing
from bridge.sync.read import Reading
from bridge.sync.read_report import COMPLETE
from bridge.sync.run import _Run

Out = Callable[[], AbstractContextManager[Any]]
Make = Callable[[Any], Any]

_WHOLE = Verdict(complete=True, whole=True)
_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


def instead(place: Any, name: str, make: Make) -> Out:
    """What ``make`` makes of the thing that is called ``name`` there, in its place."""
    return lambda: patch.object(place, name, make(getattr(place, name)))


def nothing(place: Any, name: str, value: Any = None) -> Out:
    """A function that does nothing and gives a value."""
    return instead(place, name, lambda real: lambda *arguments, **named: value)


def together(*outs: Out) -> Out:
    @contextmanager
    def out() -> Iterator[None]:
        with ExitStack() as stack:
            for each in outs:
                stack.enter_context(each())
            yield

    return out


def judged(what: Callable[[frozenset[str]], frozenset[str]], day: bool = True) -> Out:
    """Other kinds of change held than the limits say; without ``day`` no day has a budget."""

    def make(real: Any) -> Any:
        def judge(counts: Any, limits: Any, active: int, deactivated: int) -> frozenset[str]:
            return what(real(counts, limits, active, deactivated if day else 0))

        return judge

    return instead(decide, "judge", make)


def unlimited(limit: str) -> Out:
    def without(held: frozenset[str]) -> frozenset[str]:
        return frozenset(kind for kind in held if kind.split(":")[0] != limit)

    return judged(without)


def drafted(what: Callable[[Mapped, bool], Mapped]) -> Out:
    """Drafts of something else than the mapping made of people who are there, or are not."""

    def make(real: Any) -> Any:
        def draft(key: str, entries: Any, before: Any, mapping: Any, made: Any, *rest: Any) -> Any:
            return real(key, entries, before, mapping, what(made, bool(entries)), *rest)

        return draft

    return instead(looking, "draft", make)


def listed(what: Callable[[Page], Page]) -> Out:
    """Other pages than those of the store."""

    def make(real: Any) -> Any:
        return lambda self, query: what(real(self, query))

    return instead(Pages, "page", make)


def taken(what: Callable[[Reading, Batch], Batch]) -> Out:
    """Other batches than the source yields."""

    def make(real: Any) -> Any:
        return lambda self, batch, *rest: real(self, what(self, batch), *rest)

    return instead(Reading, "take", make)


# -- reads -------------------------------------------------------------------------------------


def _cut_is_whole(real: Any) -> Any:
    def walk(self: Reading, *arguments: Any) -> Verdict:
        try:
            return real(self, *arguments)  # type: ignore[no-any-return]
        except IncompleteRead:
            return _WHOLE

    return walk


def _of_any_age(reading: Reading, batch: Batch) -> Batch:
    reading.as_of = None
    return batch


def _cookie_first(reading: Reading, batch: Batch) -> Batch:
    if batch.cookie:
        with reading.store.write() as connection:
            records._set(connection, reading.source_id, cookie=batch.cookie)
    return batch


def _none_absent(real: Any) -> Any:
    return lambda c, source_id, run_id, seen, *rest: real(c, source_id, run_id, None, *rest)


def _decided_if_complete(real: Any) -> Any:
    def decided(self: _Run, *arguments: Any, **named: Any) -> None:
        if self.account.read.verdict == COMPLETE:
            real(self, *arguments, **named)

    return decided


INCOMPLETE_IS_WHOLE = instead(Reading, "end", lambda real: lambda self, verdict: real(self, _WHOLE))
CUT_IS_WHOLE = instead(Reading, "walk", _cut_is_whole)
CHANGES_ARE_WHOLE = instead(
    Reading, "end", lambda real: lambda self, verdict: real(self, replace(verdict, whole=True))
)
NOTHING_IS_BELIEVED = nothing(Reading, "_vanished", "")
ANY_AGE_IS_BELIEVED = taken(_of_any_age)
COOKIE_FIRST = taken(_cookie_first)
NOBODY_IS_ABSENT = instead(records, "finish", _none_absent)
NOBODY_IS_DELETED = taken(lambda reading, batch: replace(batch, gone=()))
INCOMPLETE_IS_WORTHLESS = instead(_Run, "_decide", _decided_if_complete)

# -- people ------------------------------------------------------------------------------------


def _faulty_stays(made: Mapped, there: bool) -> Mapped:
    return replace(made, active=None) if made.faults else made


def _faulty_leaves(made: Mapped, there: bool) -> Mapped:
    return Mapped(skipped="faulty") if made.faults else made


def _without_skip(real: Any) -> Any:
    def decided(rules: Any, otherwise: Any, frame: Any) -> Any:
        return real(rules, otherwise, frame) if otherwise else (None, [])

    return decided


def _all_or_none(held: frozenset[str]) -> frozenset[str]:
    return held.union(DEACTIVATIONS) if held else held


def _not_the_first(real: Any) -> Any:
    def judge(deciding: Any, *rest: Any) -> Any:
        return frozenset() if deciding.first_load else real(deciding, *rest)

    return judge


def _for_ever(real: Any) -> Any:
    return lambda c, source_id, keys, now: real(c, source_id, keys, _LONG_AGO)


FAULTY_STAYS = drafted(_faulty_stays)
FAULTY_LEAVES = drafted(_faulty_leaves)
SKIPPED_STAYS = instead(program, "decide", _without_skip)
ALL_OR_NONE = judged(_all_or_none)
NO_DAY = judged(lambda held: held, day=False)
NO_FIRST_LOAD = instead(decide, "_judge", _not_the_first)
NO_PROTECT = nothing(change, "is_protected", False)
NO_OVERRIDES = nothing(overrides, "of", {})
OVERRIDES_FOR_EVER = instead(overrides, "of", _for_ever)
NO_RELINKS = nothing(relinks, "all", {})
NOBODY_IS_DUE_LATER = instead(
    Publication,
    "set_due",
    lambda real: (
        lambda self, source, moments, news: real(self, source, dict.fromkeys(moments), news)
    ),
)
CLOCK_NEVER_BACK = nothing(records, "make_everybody_due")

# -- what is served ----------------------------------------------------------------------------


def _active_rows(page: Page) -> Page:
    rows = [row for row in page.rows if b'"active":false' not in row.document]
    return Page(page.total, rows)


def _in_parts(real: Any) -> Any:
    def publish(self: _Publishing, chunk: Any) -> None:
        real(self, chunk)
        self.publication.end(self.deciding.run_id)
        self.publication._number = None
        self.connection.exec_driver_sql("COMMIT")
        self.connection.exec_driver_sql("BEGIN IMMEDIATE")

    return publish


def _only_closed(c: Connection, newest: int, now: datetime) -> None:
    c.execute(update(table(ServingRow)).values(restored=True))


def _told(real: Any) -> Any:
    def problem(self: _Publishing, proposal: Any, waits: bool) -> Any:
        found = real(self, proposal, waits)
        said = proposal.draft.before.user_name if proposal.draft.before else ""
        return found and replace(found, messages=(*found.messages, said))

    return problem


LEAVERS_ARE_NOT_LISTED = listed(_active_rows)
NEWEST_FIRST = listed(lambda page: Page(page.total, page.rows[::-1]))
ANY_ID = instead(change, "resource_id", lambda real: lambda *parts: str(uuid.uuid4()))
IN_PARTS = together(
    instead(_Publishing, "_publish", _in_parts), lambda: patch.object(looking, "CHUNK", 2)
)
NAMES_ARE_SHARED = instead(decide, "contest", lambda real: lambda *arguments: Contest())
GROUPS_OF_NOBODY = nothing(Publication, "drop_empty_groups", [])
OPEN_AT_ONCE = nothing(run, "everybody_is_loaded", True)
RESTORED_IS_SERVED = nothing(backup, "_hold_back")
RESTORED_IS_DECIDED = instead(backup, "_hold_back", lambda real: _only_closed)
LEAVERS_WAIT_UNSEEN = nothing(plans, "held_kinds", set())
ERASED_IS_RESTORED = nothing(backup, "_say_again")
NO_LEASE = together(nothing(lease, "check"), nothing(lease, "renew"))
NO_AUDIT = nothing(_Publishing, "_happened", ())
VALUES_ARE_TOLD = instead(_Publishing, "_problem", _told)
PAUSED_GOES_ON = nothing(_Run, "_paused", False)
