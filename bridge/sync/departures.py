"""Somebody of several records, of which the one that kept them active is gone.

What is left says that they have left, but it did so before, while the other record spoke for them.
So it is not the source that states that they are to go: they are absent, and counted as that.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from bridge.mapping import Mapping
from bridge.model import Entry, Mapped, Served
from bridge.store.entries import Departed


def because_of_departure(
    mapped: Mapped,
    entries: Sequence[Entry],
    before: Served | None,
    mapping: Mapping,
    now: datetime,
    departed: Sequence[Departed],
) -> Mapped:
    """``mapped``, as absent where somebody leaves for nothing but that a record departed.

    ``departed`` are those that went when all that ``entries`` say had been said before. Where one
    of them goes on under another's key, what that one said of old nobody knows any more: but the
    person was active by it.
    """
    there = {entry.fingerprint for entry in entries}
    if mapped.leaves and any(
        _always_leaves(entries, before, mapping, each.gone_at, now)
        and (
            each.entry.fingerprint in there
            or not mapping.person([*entries, each.entry], now, before).leaves
        )
        for each in departed
    ):
        said = f"what is left says: {mapped.reason}"
        reason = f"the record that kept them active is no longer in the source; {said}"
        return replace(mapped, absent=True, reason=reason)
    return mapped


def _always_leaves(
    entries: Sequence[Entry],
    before: Served | None,
    mapping: Mapping,
    since: datetime,
    now: datetime,
) -> bool:
    """Whether these records never made the person active from then on: no date was waited for."""
    moment: datetime | None = since
    while moment is not None and moment <= now:
        then = mapping.person(entries, moment, before)
        if not then.leaves:
            return False
        moment = then.until
    return True
