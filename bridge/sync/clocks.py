"""Two clocks, this machine's and a source's: where they are apart, a date may have passed or not.

Nobody knows which of them is right. So whoever they make something else of waits, whole, until
they agree or somebody says so; but who is inactive by both of them becomes inactive.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import Connection

from bridge.model import MOST_SKEW, Mapped
from bridge.store import watch
from bridge.sync.change import CLOCK, LEAVING, Draft


def theirs(now: datetime, skew: timedelta | None) -> datetime | None:
    """What the source's clock shows at ``now``, where that is too far from ours."""
    return now + skew if skew is not None and abs(skew) > MOST_SKEW else None


def noted_skew(connection: Connection, source_id: int) -> timedelta | None:
    """How far the clocks were apart at the last complete read, where the source told its time."""
    row = watch.all(connection).get(source_id)
    seconds = None if row is None else row.skew_seconds
    return None if seconds is None else timedelta(seconds=seconds)


def agree(ours: Mapped, theirs: Mapped) -> bool:
    """Whether it does not matter by which clock a person is mapped."""
    told = replace(theirs, reason=ours.reason, rule=ours.rule, absent=ours.absent, until=ours.until)
    return told == ours


def between_clocks(new: Draft, leaves: bool) -> Draft:
    """``new``, which another clock would make otherwise, as a change that waits; with ``leaves``
    not for becoming inactive."""
    after = new.after
    if after is None or new.forced or not _changes(new):
        return new
    kinds = {kind: target for kind, target in new.kinds.items() if leaves and kind in LEAVING}
    kinds[CLOCK] = "active" if after.attributes["active"] else "inactive"
    return replace(new, kinds=kinds)


def _changes(new: Draft) -> bool:
    """Whether anything but links would be served differently."""
    before, after = new.before, new.after
    if before is None or after is None or new.kinds:
        return True
    return any(
        value != _part(before.attributes.get(name), value)
        for name, value in after.attributes.items()
    )


def _part(served: object, value: object) -> object:
    """Of what is served, what ``value`` says something of: a link's answer is not among it."""
    if not (isinstance(served, Mapping) and isinstance(value, Mapping)):
        return served
    return {name: served[name] for name in value if name in served}
