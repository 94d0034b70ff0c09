"""Which kinds of change a run may publish by itself: the guard of ``limits:``.

Pure. A kind above its limit is held whole, never an arbitrary part of it; the others go live.
"""

from __future__ import annotations

from collections.abc import Mapping

from bridge.mapping.limits import Limit, Limits
from bridge.sync.change import CLOCK, DEACTIVATIONS, EMPTIED, PROTECTED


def judge(
    counts: Mapping[str, int], limits: Limits, active: int, deactivated: int
) -> frozenset[str]:
    """The kinds to hold.

    ``counts`` are the changes that appeared since the last decision, by kind; ``active`` the
    people of the source who are active now; ``deactivated`` how many of them became inactive
    without anybody's approval in the last 24 hours.
    """
    held = {kind for kind, count in counts.items() if count > _limit(kind, limits, active)}
    # The day's budget goes first to what the source itself states: a firing is never kept
    # waiting because people are missing from an export.
    budget = limits.per_day.of(active + deactivated) - deactivated
    for kind in DEACTIVATIONS:
        count = counts.get(kind, 0)
        if not count or kind in held:
            continue
        if count > budget:
            held.add(kind)
        else:
            budget -= count
    return frozenset(held)


def _limit(kind: str, limits: Limits, active: int) -> int:
    if kind in (PROTECTED, CLOCK):
        return 0
    limit: Limit = getattr(limits, EMPTIED if kind.startswith(EMPTIED) else kind)
    return limit.of(active)
