"""When each source is read, by APScheduler: one thread, one run after the other."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.jobstores.base import JobLookupError
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.base import BaseTrigger
from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.interval import IntervalTrigger

from bridge.mapping import Mapping
from bridge.store.tables import RequestRow, SourceRow
from bridge.sync.back_off import FILE, SCHEDULE
from bridge.sync.leadership import utc_now
from bridge.sync.run import CHANGES, FULL

_CHANGES = timedelta(minutes=5)
"""How often a source is asked for changes where its file does not say."""
_AGAIN = timedelta(minutes=10)
"""After so long a read of everything that was not COMPLETE is made again."""
_NEVER = datetime(9999, 1, 1, tzinfo=UTC)
_DAY = timedelta(days=1)
_FIRST = timedelta(minutes=5)
"""How long after the start what is done once a day is done first."""
_SET_BACK = timedelta(minutes=1)
"""A clock that goes back by no more delays nothing for long."""

Run = Callable[[str, str, str, int | None], None]
"""Runs a source: its name, the mode, the actor, and the request that is answered by it."""


class _Scheduler(BackgroundScheduler):  # type: ignore[misc]
    def remove_job(self, job_id: str, jobstore: str | None = None) -> None:
        # It takes out a job that it has just begun; where it is told to end in that moment, it
        # finds its jobs gone already.
        with suppress(JobLookupError):
            super().remove_job(job_id, jobstore)


class Timetable:
    """What is to be done when; ``run`` is called in the one thread that syncs."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._scheduler = _Scheduler(
            executors={"default": ThreadPoolExecutor(1)},
            # A run that is late, because another one took long, is made once.
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
            timezone=UTC,
        )
        self._ahead = _ahead()

    def start(self) -> None:
        self._scheduler.start()

    def end(self) -> None:
        """Begin nothing more; what is under way is left alone."""
        self._scheduler.shutdown(wait=False)

    def schedule(self, mapping: Mapping, row: SourceRow | None) -> None:
        """Read changes from now on, and everything when that was last done long enough ago."""
        now = utc_now()
        self._add(mapping.name, CHANGES, _every(changes(mapping)), now + changes(mapping))
        last = row.complete_at if row is not None and row.complete_at else now
        # After a read by a clock that was ahead, nobody knows how long ago that was.
        first = now if last > now else max(full_after(mapping, last), now)
        self._add(mapping.name, FULL, _full(mapping), first)

    def follow_clock(self) -> int:
        """Where the clock was set back by more than a minute, everything comes earlier by as much.

        By how many seconds that was; every source is to be scheduled anew then, since some are read
        at a time of the day.
        """
        ahead = _ahead()
        back = self._ahead - ahead
        if back <= _SET_BACK:
            self._ahead = max(self._ahead, ahead)
            return 0
        self._ahead = ahead
        for job in self._scheduler.get_jobs():
            with suppress(JobLookupError):  # it was done meanwhile
                job.modify(next_run_time=job.next_run_time - back)
        return round(back.total_seconds())

    def has(self, name: str) -> bool:
        """Whether a source is read by its schedule."""
        return self._scheduler.get_job(f"{name} {CHANGES}") is not None

    def soon(self, name: str) -> None:
        """Run a source as soon as the run under way ends: something about its file is new."""
        self._scheduler.add_job(
            self._run,
            args=(name, CHANGES, FILE, None),
            id=f"{name} soon",
            replace_existing=True,
            # One waits while one runs: what changes during a run is read after it.
            max_instances=2,
        )

    def again(self, name: str) -> None:
        """Read everything again soon: the schedule alone may come back to it tomorrow."""
        self._scheduler.add_job(
            self._run,
            "date",
            run_date=utc_now() + _AGAIN,
            args=(name, FULL, SCHEDULE, None),
            id=f"{name} again",
            replace_existing=True,
        )

    def answer(self, name: str, request: RequestRow) -> None:
        """Run a source because a command asks for it."""
        self._scheduler.add_job(
            self._run,
            args=(name, request.mode, request.actor, request.id),
            id=f"request {request.id}",
        )

    def daily(self, act: Callable[[], None]) -> None:
        """Do something once a day, between two runs."""
        self._scheduler.add_job(act, _every(_DAY), id="daily", next_run_time=utc_now() + _FIRST)

    def _add(self, name: str, mode: str, trigger: BaseTrigger, first: datetime) -> None:
        self._scheduler.add_job(
            self._run,
            trigger,
            args=(name, mode, SCHEDULE, None),
            id=f"{name} {mode}",
            replace_existing=True,
            next_run_time=first,
        )


def changes(mapping: Mapping) -> timedelta:
    """How often a source is asked for changes."""
    return mapping.schedule.changes or _CHANGES


def full_after(mapping: Mapping, last: datetime) -> datetime:
    """When everything is to be read after it was at ``last``."""
    when = mapping.schedule.full
    if isinstance(when, timedelta):
        return last + when
    # Cron text that names no day there is, such as 30 February, asks for nothing.
    return _full(mapping).get_next_fire_time(None, last) or _NEVER


def _ahead() -> timedelta:
    """How far the clock is ahead of one that nobody sets."""
    return timedelta(seconds=utc_now().timestamp() - time.monotonic())


def _every(interval: timedelta) -> BaseTrigger:
    return IntervalTrigger(seconds=int(interval.total_seconds()))


def _full(mapping: Mapping) -> BaseTrigger:
    when = mapping.schedule.full
    if isinstance(when, str):
        return CronTrigger.from_crontab(when, timezone=mapping.timezone)
    return _every(when)
