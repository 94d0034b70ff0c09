"""The sync role as a process."""

from __future__ import annotations

import os
import threading
from datetime import timedelta

from bridge.app.signals import on_end, on_renew
from bridge.settings import Settings
from bridge.store import Store, lease
from bridge.store.retention import Keep
from bridge.sync import catalog, daemon
from bridge.sync.webhook import Webhook

_END_SECONDS = 7.0


def run_syncd(
    settings: Settings, supervised: bool = False, lease_ttl: timedelta = lease.TTL
) -> None:
    """Sync until told to end; what is under way then is dropped and found again."""
    stop, renew = threading.Event(), threading.Event()

    def end() -> None:
        stop.set()
        # A run that waits for a file to be still cannot be woken; it may be cut off anywhere.
        timer = threading.Timer(_END_SECONDS, os._exit, (0,))
        timer.daemon = True
        timer.start()

    on_end(end, supervised)
    on_renew(renew.set)
    if not supervised:
        catalog.load(settings.mappings)  # a folder that is not there is told at once
    store = Store.open(settings.database)
    keep = Keep(*map(timedelta, (settings.keep_runs, settings.keep_audit, settings.keep_leavers)))
    webhook = None
    if settings.webhook:
        webhook = Webhook(settings.webhook, settings.webhook_key, settings.webhook_private)
    try:
        daemon.serve(store, settings.mappings, stop, renew, keep, lease_ttl, webhook)
    finally:
        store.close()
