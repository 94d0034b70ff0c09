"""``/healthz/fresh`` fails for each reason there is, in words, and for no other."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import Connection, update

from bridge.store import lease, plans, problems, sources, watch
from bridge.store.plans import PlanChange
from bridge.store.problems import Problem
from bridge.store.tables import SourceRow, table
from tests.health.conftest import HOUR, World

MINUTE = timedelta(minutes=1)
Change = Callable[[Connection, World], object]


def _completed(hours: float) -> Change:
    def change(c: Connection, world: World) -> None:
        at = world.company.now - hours * HOUR
        c.execute(update(table(SourceRow)).values(complete_at=at))
        watch.scheduled(c, world.company.source, 5 * MINUTE, at + HOUR)

    return change


def _read(minutes: float) -> Change:
    return lambda c, world: watch.read(
        c, world.company.source, world.company.now - minutes * MINUTE, None
    )


def _skewed(seconds: int) -> Change:
    skew = timedelta(seconds=seconds)
    return lambda c, world: watch.read(c, world.company.source, world.company.now, skew=skew)


def _held(hours: float) -> Change:
    def change(c: Connection, world: World) -> None:
        change = PlanChange("ann", "absent", "inactive", "fact")
        at = world.company.now - hours * HOUR
        plans.create(c, world.company.source, plans.CHANGES, [change], 1, at)

    return change


def _troubled(count: int, of: int, before: str = "") -> Change:
    def change(c: Connection, world: World) -> None:
        c.execute(update(table(SourceRow)).values(people=of))
        problem = Problem(("ends is no date",), world.company.now)
        found = {f"{before}p{number}": problem for number in range(count)}
        problems.put(c, world.company.source, found)

    return change


def _first_load_with_problems(c: Connection, world: World) -> None:
    _troubled(251, 0)(c, world)
    c.execute(update(table(SourceRow)).values(loaded_at=None))


CASES: dict[str, tuple[Change, str]] = {
    "all is well": (lambda c, world: None, ""),
    "a read of everything that is nearly late": (_completed(1.4), ""),
    "no read of everything in time": (
        _completed(4),
        "hr: the last complete read of everything ended 4 hours ago, and one was due 3 hours ago",
    ),
    "a read that is nearly late": (_read(19), ""),
    "no read in time that can be trusted": (
        _read(30),
        "hr: the last read that could be trusted began 30 minutes ago, and one was due"
        " 25 minutes ago",
    ),
    "a read by a clock that is nearly together with ours": (_read(-4), ""),
    "a read by a clock that was set back": (
        _read(-90.5),
        "hr: it was read last 90 minutes from now, so a clock was set back or is wrong, and nobody "
        "knows how old what is served is: set all clocks by NTP; the next complete read of "
        "everything settles it",
    ),
    "a complete read by a clock that was set back": (
        _completed(-3.01),
        "hr: it was read last 3 hours from now, so a clock was set back or is wrong, and nobody "
        "knows how old what is served is: set all clocks by NTP; the next complete read of "
        "everything settles it",
    ),
    "clocks that are nearly together": (_skewed(-300), ""),
    "a clock that is behind": (
        _skewed(-412),
        "hr: its clock is 412 s behind this machine's, so whoever has a date between the two "
        "waits: set both by NTP",
    ),
    "a clock that is ahead": (
        _skewed(86_400),
        "hr: its clock is 86,400 s ahead of this machine's, so whoever has a date between the two "
        "waits: set both by NTP",
    ),
    "a source that was never read": (
        lambda c, _: c.execute(update(table(SourceRow)).values(complete_at=None)),
        "hr: never read completely",
    ),
    "a source that is paused": (
        lambda c, world: sources.pause(c, world.company.source, "its file is gone"),
        "hr: paused, its people stay as they are: bridge status says why",
    ),
    "nearly half of the people with problems": (_troubled(149, 300), ""),
    "most people of a small company with problems": (_troubled(9, 10), ""),
    "groups with problems": (_troubled(20, 20, problems.GROUP), ""),
    "a first load with problems that waits for a word": (_first_load_with_problems, ""),
    "half of the people with problems": (
        _troubled(150, 300),
        "hr: 150 people or records cannot be served as the source has them, while 300 people are "
        "served: whoever is served stays as they were, and bridge status names them",
    ),
    "records whose person is unknown": (
        _troubled(10, 10, problems.RECORD),
        "hr: 10 people or records cannot be served as the source has them, while 10 people are "
        "served: whoever is served stays as they were, and bridge status names them",
    ),
    "a file with a fault": (
        lambda c, world: watch.put_faulty_files(c, ["/etc/bridge/ad.yaml"], world.company.now),
        "the mapping file ad.yaml has a fault: bridge check names it",
    ),
    "a plan of today": (_held(23), ""),
    "a plan of yesterday": (
        _held(25),
        "hr: a plan waits for somebody's word for longer than a day: bridge plan list",
    ),
    "nobody who syncs": (
        lambda c, world: lease.release(c, world.company.epoch),
        "no daemon syncs: start bridge serve, or bridge syncd; where one runs, its log says why",
    ),
    "a command that syncs, but no daemon": (
        lambda c, world: (
            lease.release(c, world.company.epoch),
            lease.acquire(c, "a command", world.company.now, HOUR),
        ),
        "no daemon syncs: start bridge serve, or bridge syncd; where one runs, its log says why",
    ),
    "a source of which nothing is expected any more": (
        lambda c, _: sources.register(c, "old", "old.yaml"),
        "",
    ),
}


@pytest.mark.parametrize(("change", "reason"), CASES.values(), ids=CASES)
def test_each_reason_is_told(world: World, change: Change, reason: str) -> None:
    with world.store.write() as c:
        change(c, world)
    assert world.reasons() == ([reason] if reason else [])


def test_several_reasons_are_told_together(world: World) -> None:
    with world.store.write() as c:
        for change in (_completed(50), _read(3000), _held(25), _held(26)):
            change(c, world)
    assert len(world.reasons()) == 3
    assert "2 plans wait" in world.reasons()[-1]


def test_an_empty_store_is_not_fresh(world: World) -> None:
    with world.store.write() as c:
        c.execute(table(SourceRow).delete())
    assert world.reasons() == ["no source was read yet"]
