"""Figures for Prometheus: requests as they come, everything else as the store has it."""

from __future__ import annotations

import json
from collections import Counter as Count
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from sqlalchemy import Connection

from bridge.health import freshness
from bridge.store import Store, lease, plans, problems, runs, tokens, watch
from bridge.store import sources as source_rows
from bridge.store.activity import Activity, Walk
from bridge.store.size import size
from bridge.store.tables import SourceRow

_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0)


class Metrics:
    """The figures of this process and of the store."""

    def __init__(self, store: Store, certificate_ends: Callable[[], datetime | None]) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "bridge_requests", "Requests answered.", ["route", "code"], registry=self._registry
        )
        self._seconds = Histogram(
            "bridge_request_seconds",
            "How long requests took.",
            ["route"],
            buckets=_BUCKETS,
            registry=self._registry,
        )
        # To look these up anew for each request would cost more than to count it.
        self._of: dict[tuple[str, int], tuple[Counter, Histogram]] = {}
        self._registry.register(_Stored(store, certificate_ends))

    def observe(self, route: str, status: int, seconds: float) -> None:
        """Count a request; a route is a pattern such as ``/scim/v2/Users/{id}``, or empty."""
        counted = self._of.get((route, status))
        if counted is None:
            labels = (route or "none", str(status))
            counted = self._requests.labels(*labels), self._seconds.labels(labels[0])
            self._of[route, status] = counted
        counted[0].inc()
        counted[1].observe(seconds)

    def text(self) -> bytes:
        """All figures in Prometheus' text format. Raises `StorageError`."""
        return generate_latest(self._registry)


class _Stored(Collector):
    """What the store has, read anew at each scrape."""

    def __init__(self, store: Store, certificate_ends: Callable[[], datetime | None]) -> None:
        self._store = store
        self._certificate_ends = certificate_ends

    def describe(self) -> list[Metric]:
        return []  # so that nothing is read before somebody asks

    def collect(self) -> Iterator[Metric]:
        now = datetime.now(UTC)
        activity = Activity.open(self._store.url)
        try:
            walks = activity.last_walks()
        finally:
            activity.close()
        with self._store.read() as c:
            sources = {row.id: row for row in source_rows.all(c) if row.id is not None}
            yield from _state(c, now)
            yield from _people(sources)
            yield from _runs(c, sources)
            yield from _ages(c, sources, now)
            yield from _waiting(c, sources)
            yield from _imports(c, walks, now)
            yield from self._endings(c, sources, now)
        yield _gauge(
            "bridge_store_bytes", "The room that the store takes.", [], {(): size(self._store)}
        )

    def _endings(
        self, c: Connection, sources: dict[int, SourceRow], now: datetime
    ) -> Iterator[Metric]:
        noted = {(sources[id].name,): row for id, row in watch.all(c).items() if id in sources}
        certificates = {of: row.certificate_ends for of, row in noted.items()}
        certificates["web",] = self._certificate_ends()
        yield _gauge(
            "bridge_certificate_days",
            "Days until a certificate ends: of web, our own, or of the server of a source.",
            ["of"],
            _days(certificates, now),
        )
        yield _gauge(
            "bridge_password_days",
            "Days until the password ends by which a source is read, where that is known.",
            ["source"],
            _days({of: row.password_ends for of, row in noted.items()}, now),
        )
        yield _gauge(
            "bridge_clock_skew_seconds",
            "How far the clock of a source is ahead of ours, where the source tells its time.",
            ["source"],
            {of: row.skew_seconds for of, row in noted.items() if row.skew_seconds is not None},
        )


def _days(
    ends: Mapping[tuple[str], datetime | None], now: datetime
) -> dict[tuple[str, ...], float]:
    return {of: (end - now).total_seconds() / 86_400 for of, end in ends.items() if end}


def _state(c: Connection, now: datetime) -> Iterator[Metric]:
    leads = lease.is_daemon(lease.current(c, now))
    yield _gauge("bridge_daemon", "Whether a daemon holds the lease.", [], {(): leads})
    fresh = not freshness.reasons(c, now)
    yield _gauge("bridge_fresh", "Whether /healthz/fresh finds all well.", [], {(): fresh})


def _people(sources: dict[int, SourceRow]) -> Iterator[Metric]:
    yield _gauge(
        "bridge_people",
        "People served.",
        ["source", "state"],
        {
            (row.name, state): number
            for row in sources.values()
            for state, number in (("active", row.active), ("inactive", row.people - row.active))
        },
    )
    yield _gauge(
        "bridge_source_paused",
        "Whether a source is paused.",
        ["source"],
        {(row.name,): bool(row.paused) for row in sources.values()},
    )


def _runs(c: Connection, sources: dict[int, SourceRow]) -> Iterator[Metric]:
    labels = ["source", "verdict"]
    number = CounterMetricFamily("bridge_runs", "Runs by the verdict of their read.", labels=labels)
    seconds = CounterMetricFamily("bridge_run_seconds", "How long these took.", labels=labels)
    for row in runs.totals(c):
        of = [sources[row.source_id].name, row.verdict or "none"]
        number.add_metric(of, row.runs)
        seconds.add_metric(of, row.seconds)
    yield number
    yield seconds


def _ages(c: Connection, sources: dict[int, SourceRow], now: datetime) -> Iterator[Metric]:
    noted = watch.all(c)
    read = {(row.name,): noted[id].read_at for id, row in sources.items() if id in noted}
    whole = {(row.name,): row.complete_at for row in sources.values()}
    for name, words, moments in (
        ("bridge_read_age_seconds", "Since the last read that could be trusted.", read),
        ("bridge_complete_read_age_seconds", "Since everything was last read completely.", whole),
    ):
        ages = {of: (now - at).total_seconds() for of, at in moments.items() if at}
        yield _gauge(name, words, ["source"], ages)


def _waiting(c: Connection, sources: dict[int, SourceRow]) -> Iterator[Metric]:
    held: Count[tuple[str, ...]] = Count()
    for plan in plans.listing(c, states=[plans.HELD], limit=10_000):
        for kind, number in json.loads(plan.counts).items():
            held[sources[plan.source_id].name, kind] += number
    yield _gauge("bridge_held_changes", "Changes that wait for a word.", ["source", "kind"], held)
    yield _gauge(
        "bridge_problems",
        "People and records that cannot be served as the source has them.",
        ["source"],
        {(row.name,): problems.count(c, id) for id, row in sources.items()},
    )


def _imports(c: Connection, walks: list[Walk], now: datetime) -> Iterator[Metric]:
    names = {token.id: token.name for token in tokens.listing(c)}
    ages: dict[tuple[str, ...], float] = {}
    for walk in walks:
        of = (names.get(walk.token_id, "unknown"), walk.kind)
        age = (now - walk.at).total_seconds()
        ages[of] = min(age, ages.get(of, age))
    yield _gauge(
        "bridge_import_age_seconds",
        "Since a client last read a list to its end.",
        ["client", "kind"],
        ages,
    )


def _gauge(
    name: str, words: str, labels: list[str], values: Mapping[Any, float]
) -> GaugeMetricFamily:
    """A gauge with a value for each tuple of labels."""
    family = GaugeMetricFamily(name, words, labels=labels)
    for of, value in values.items():
        family.add_metric(list(of), float(value))
    return family
