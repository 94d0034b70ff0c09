"""Short lives, in each of which one protection of the bridge matters."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from unittest.mock import patch

from bridge.errors import StorageError
from tests.proof.company import person
from tests.proof.life import Life

Lived = Callable[[Life], None]
ENDED = "2026-06-14"
LAST_DAY = "2026-06-15"


def some(first: int, last: int) -> set[str]:
    return {f"P{number}" for number in range(first, last + 1)}


def change(life: Life, keys: set[str], **changes: str) -> None:
    for key in sorted(keys):
        life.source.change(key, **changes)


def fault(kind: str, after: int) -> Lived:
    """A read of everybody in which a fault hides P10 alone: as many as may be absent."""

    def lived(life: Life) -> None:
        life.reads_go_wrong(kind, after, twice=False)
        life.run("full")

    return lived


def changed(**changes: str) -> Lived:
    """Five people change."""

    def lived(life: Life) -> None:
        change(life, some(2, 6), **changes)
        life.run("full")

    return lived


def one(**changes: str) -> Lived:
    """P3 changes."""

    def lived(life: Life) -> None:
        life.source.change("P3", **changes)
        life.run("changes")

    return lived


one_leaves = one(end=ENDED)
five_leave = changed(end=ENDED)


def teams_are_lost(life: Life) -> None:
    """Only as many as may lose a membership are in any."""
    for number in (2, 3):
        life.team_up(number, set())
    life.run("full")
    for number in (1, 2, 3):
        life.source.delete(f"T{number}")
    life.run("full")


def one_is_alone(life: Life) -> None:
    """Of a company of one the source shows nobody: no limit would hold that."""
    for key in some(2, 10):
        life.source.delete(key)
    life.run("full")
    life.sync("decide", accept=True)
    fault("empty", 0)(life)


def all_but_one_change(life: Life) -> None:
    change(life, some(1, 9), room="1")
    for row in list(life.source.teams.values()):
        life.source.put(row)
    life.run("changes")


def an_older_one_comes(life: Life) -> None:
    one_leaves(life)
    life.run("full")
    fault("stale", 0)(life)


def store_fails(place: Any, name: str) -> Lived:
    """Everybody changes, but while a run writes that its store fails; the next run goes on."""

    def lived(life: Life) -> None:
        change(life, some(1, 10), title="Chief")
        before = life.bridged.answers()
        with patch.object(place, name, side_effect=StorageError("the disk is full")):
            life.run("changes")
        assert life.bridged.answers() == before, "promise 3"
        life.run("changes")

    return lived


def two_vanish(life: Life) -> None:
    life.vanish(some(2, 3), named=True)
    life.run("full")


def one_vanishes(named: bool, mode: str) -> Lived:
    def lived(life: Life) -> None:
        life.vanish({"P3"}, named)
        life.run(mode)

    return lived


def two_come_back(life: Life) -> None:
    for end in (ENDED, ""):
        life.many_leave_or_come_back(some(2, 3), end)
        life.run("full")


def two_and_two_leave(life: Life) -> None:
    for keys in (some(2, 3), some(4, 5)):
        life.many_leave_or_come_back(keys, ENDED)
        life.run("full")


def chiefs_are_dropped(life: Life) -> None:
    for number in (2, 3):
        life.promote(f"P{number}", "Chief")
    life.run("full")
    life.edit_the_file("chiefs are not served", "full")


def five_come(life: Life) -> None:
    life.many_join(some(11, 15))
    life.run("full")


def five_swap(life: Life) -> None:
    for number in range(2, 7):
        life.rename(f"P{number}", f"zq{number + 10}@example.com")
    life.run("full")


def another_waits(life: Life) -> None:
    life.vanish(some(5, 7), named=True)
    one_leaves(life)


def seen_in_part(life: Life) -> None:
    life.leave_or_come_back("P3", ENDED)
    life.reads_go_wrong("doubtful", 5, twice=False)
    life.run("full")


def restored(before: Lived, mode: str) -> Lived:
    """A backup, what happens afterwards, and the backup is back."""

    def lived(life: Life) -> None:
        life.back_up()
        before(life)
        life.okta_imports()
        life.restore()
        life.run(mode)
        life.okta_imports()

    return lived


def four_leave(life: Life) -> None:
    for keys in (some(2, 3), some(4, 5)):
        life.many_leave_or_come_back(keys, ENDED)
        life.the_clock_moves(25, "full")


def one_is_erased(life: Life) -> None:
    one_vanishes(named=True, mode="full")(life)
    life.erase("P3")


def one_comes(life: Life) -> None:
    life.join("P11", None)
    life.run("full")


def day_passes(back: int) -> Lived:
    def lived(life: Life) -> None:
        one(end=LAST_DAY)(life)
        life.the_clock_moves(25, "changes")
        life.the_clock_moves(back, "changes")

    return lived


def group_is_left(life: Life) -> None:
    life.source.put(person(11, dept="3"))
    life.run("full")
    life.move("P11", "1", "P1", "ZA")
    life.run("full")


def one_is_overridden(life: Life) -> None:
    life.override("P3", active=False, hours=1)
    life.the_clock_moves(6, "decide")


def one_is_rehired(life: Life) -> None:
    one_vanishes(named=True, mode="full")(life)
    life.rehire("P3")
    life.bridged.relink("P3", "R1")
    life.promises.heard.relinked["R1"] = "P3"
    life.run("full", words={"P3", "R1"})


def two_lead(life: Life) -> None:
    life.lock("P3", "yes")
    life.be_taken_over("full")


def file_is_gone(life: Life) -> None:
    life.leave_or_come_back("P3", ENDED)
    life.edit_the_file("", "full")


def one_is_protected(life: Life) -> None:
    life.edit_the_file("one is protected", "full")
    life.leave_or_come_back("P2", ENDED)
    life.run("full")
