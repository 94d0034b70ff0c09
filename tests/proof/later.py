"""Syncs of a company a day after the one before."""

from __future__ import annotations

from datetime import timedelta

from bridge.sync.decision import Progress
from bridge.sync.leadership import leadership
from bridge.sync.report import Report
from bridge.sync.run import CHANGES, Sync
from tests.sync.conftest import Company


def sync_later(company: Company, progress: Progress = lambda step, done: None) -> Report:
    """Sync when the limits of a day, and the lease of a run that broke, are of the past."""
    company.now += timedelta(hours=25)
    with leadership(company.store, lambda: company.now) as epoch:
        sync = Sync(company.store, company.mappings, epoch, lambda: company.now)
        return sync.run(company.name, CHANGES, "test", progress)
