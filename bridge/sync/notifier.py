"""Telling a webhook of every plan that waits for a person's word."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from datetime import datetime, timedelta

import structlog

from bridge.errors import StorageError, WebhookFailed
from bridge.store import Store, plans, sources
from bridge.store.tables import PlanRow
from bridge.sync.leadership import utc_now
from bridge.sync.webhook import Message, Webhook

HELD = "plan.held"

_LOOK_SECONDS = 2.0
_PAUSES = [timedelta(seconds=seconds) for seconds in (5, 30, 120, 600, 1800, 3600)]
"""Until what was not delivered is tried again; the last one again and again."""
_log = structlog.get_logger()


class Notifier:
    """Sends a message for each held plan, until it was taken or the plan is no longer held.

    What was told stands in the store, so a plan is told once, however often the daemon starts; a
    plan that changes while it is held is told again. A message may come twice, with the same id.
    """

    def __init__(
        self, store: Store, webhook: Webhook, clock: Callable[[], datetime] = utc_now
    ) -> None:
        self._store = store
        self._webhook = webhook
        self._clock = clock
        self._failures = 0
        self._again_at: datetime | None = None

    def run(self, ended: threading.Event) -> None:
        """Look for held plans every two seconds until ``ended``."""
        while not ended.wait(_LOOK_SECONDS):
            self.look()

    def look(self) -> None:
        """Tell what was not told yet, unless the last failure was a moment ago."""
        if self._again_at is not None and self._clock() < self._again_at:
            return
        try:
            with self._store.read() as connection:
                untold = plans.untold(connection)
                names = {row.id: row.name for row in sources.all(connection)}
            for plan in untold:
                self._webhook.send(message(plan, names[plan.source_id]), self._clock())
                with self._store.write() as connection:
                    plans.told(connection, plan)
                _log.info("told the webhook", plan=plan.hash[: plans.SHOWN])
        except (StorageError, WebhookFailed) as error:
            pause = _PAUSES[min(self._failures, len(_PAUSES) - 1)]
            self._failures += 1
            self._again_at = self._clock() + pause
            _log.error(
                "cannot tell the webhook", reason=str(error), again_in=int(pause.total_seconds())
            )
        else:
            self._failures, self._again_at = 0, None


def message(plan: PlanRow, source: str) -> Message:
    """What is told of a held plan: numbers and what to do, nobody's name."""
    short = plan.hash[: plans.SHOWN]
    data = {
        "plan": short,
        "source": source,
        "purpose": plan.purpose,
        "changes": json.loads(plan.counts),
        "created": plan.created_at.isoformat(timespec="seconds").replace("+00:00", "Z"),
        "next": f"bridge plan show {short}",
    }
    return Message(f"plan_{plan.id}_{plan.hash[:32]}", HELD, plan.created_at, data)
