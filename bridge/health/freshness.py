"""What is not as it should be: the reasons why what is served may be old.

They go to whoever asks, without a token, so they name sources and files, never people.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import Connection

from bridge.model import MOST_SKEW
from bridge.store import lease, plans, watch
from bridge.store import sources as source_rows
from bridge.store.tables import SourceRow, WatchRow

_CHANGES_GRACE = timedelta(minutes=15)
_FULL_GRACE = timedelta(minutes=30)
"""How long a read may take, or fail, before that is worth waking somebody."""
_HELD_TOO_LONG = timedelta(days=1)


def reasons(c: Connection, now: datetime) -> list[str]:
    """A sentence for each thing that is not as it should be at ``now``; none where all is well."""
    return list(_reasons(c, now))


def _reasons(c: Connection, now: datetime) -> Iterator[str]:
    if not lease.is_daemon(lease.current(c, now)):
        start = "start bridge serve, or bridge syncd"
        yield f"no daemon syncs: {start}; where one runs, its log says why"
    sources, watched = source_rows.all(c), watch.all(c)
    expected = [row for row in sources if row.mapping_text or row.id in watched]
    if not expected:
        yield "no source was read yet"
    for row in expected:
        assert row.id is not None
        yield from _of_source(row, watched.get(row.id), now)
        if not row.paused and (troubled := watch.troubled(c, row)):
            yield (
                f"{row.name}: {troubled:,} people or records cannot be served as the source has "
                f"them, while {row.people:,} people are served: whoever is served stays as they "
                "were, and bridge status names them"
            )
    for file in watch.faulty_files(c):
        yield f"the mapping file {Path(file.file).name} has a fault: bridge check names it"
    names = {row.id: row.name for row in sources}
    held = Counter(
        names[plan.source_id]
        for plan in plans.listing(c, states=[plans.HELD], limit=10_000)
        if now - plan.created_at > _HELD_TOO_LONG
    )
    for name, count in sorted(held.items()):
        what = "a plan waits" if count == 1 else f"{count} plans wait"
        yield f"{name}: {what} for somebody's word for longer than a day: bridge plan list"


def _of_source(row: SourceRow, noted: WatchRow | None, now: datetime) -> Iterator[str]:
    if row.paused and not row.active:
        return  # nobody's access can be old: the source was removed, or never had anybody
    if row.paused:
        yield f"{row.name}: paused, its people stay as they are: bridge status says why"
        return
    if row.complete_at is None:
        yield f"{row.name}: never read completely"
        return
    last = max(row.complete_at, noted.read_at if noted and noted.read_at else row.complete_at)
    if last - now > MOST_SKEW:
        yield (
            f"{row.name}: it was read last {_span(last - now)} from now, so a clock was set back "
            "or is wrong, and nobody knows how old what is served is: set all clocks by NTP; the "
            "next complete read of everything settles it"
        )
    if noted is None:
        return
    if noted.skew_seconds is not None and abs(noted.skew_seconds) > MOST_SKEW.total_seconds():
        yield (
            f"{row.name}: its clock is {abs(noted.skew_seconds):,} s "
            f"{'ahead of' if noted.skew_seconds > 0 else 'behind'} this machine's, so whoever has "
            "a date between the two waits: set both by NTP"
        )
    if noted.full_by is not None and now > noted.full_by + _FULL_GRACE:
        yield (
            f"{row.name}: the last complete read of everything ended {_ago(row.complete_at, now)}, "
            f"and one was due {_ago(noted.full_by, now)}"
        )
    if noted.read_at is not None and noted.changes_seconds is not None:
        due = noted.read_at + timedelta(seconds=noted.changes_seconds)
        if now > due + _CHANGES_GRACE:
            yield (
                f"{row.name}: the last read that could be trusted began "
                f"{_ago(noted.read_at, now)}, and one was due {_ago(due, now)}"
            )


def _ago(moment: datetime, now: datetime) -> str:
    return f"{_span(now - moment)} ago"


def _span(time: timedelta) -> str:
    minutes = int(time.total_seconds()) // 60
    for name, size in (("days", 1440), ("hours", 60)):
        if minutes >= 2 * size:
            return f"{minutes // size} {name}"
    return f"{minutes} minutes"
