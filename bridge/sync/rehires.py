"""Newcomers who may be a rehire: pointed out, and never merged by a name."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection

from bridge.model import Served
from bridge.store import records, rehires, resources
from bridge.store.audit import Happened
from bridge.store.user_rows import UserWrite
from bridge.sync.decision import Deciding

_LOOKED_AT_FOR = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Rehire:
    """Somebody active who came lately, and somebody inactive with the same names ``by``.

    ``is_free`` says that the old record is gone, so that the new one may go on with the old id.
    """

    new: Served
    old: Served
    by: tuple[str, ...]
    is_free: bool

    @property
    def advice(self) -> str:
        """What to do if it is the same person."""
        if self.old.source_id != self.new.source_id:
            return "in another source: Okta links the two by userName"
        if self.is_free:
            return f"bridge relink {self.old.id} {self.new.id}"
        return "still in the source: the mapping's `key` says who is one person"


def noted(
    connection: Connection, deciding: Deciding, writes: Sequence[UserWrite]
) -> Iterator[Happened]:
    """For the audit, whom of those who are served from now on somebody should look at."""
    newcomers = [write for write in writes if write.before is None]
    if deciding.first_load or not newcomers:
        return
    shared = rehires.sharing(connection, newcomers)
    for write in newcomers:
        if of := shared.get(write.id):
            yield Happened(
                at=deciding.now,
                actor=deciding.actor,
                action=rehires.ACTION,
                source_id=deciding.source_id,
                subject=write.key,
                run_id=deciding.run_id,
                detail={"of": sorted({each.id for each in of}), "by": _by(of)},
            )


def possible(connection: Connection, now: datetime) -> list[Rehire]:
    """Whoever came within 30 days and is active, beside everybody inactive with the same names."""
    found: dict[tuple[str, str], Rehire] = {}
    for row in rehires.recent(connection, now - _LOOKED_AT_FOR):
        assert row.source_id is not None
        new = resources.served(connection, row.source_id, [row.subject]).get(row.subject)
        if new is None or not new.active:
            continue
        detail = json.loads(row.detail)
        for id in detail["of"]:
            for old in resources.find(connection, id):
                if not old.active and (new.id, old.id) not in found:
                    free = not records.of_people(connection, old.source_id, [old.key])
                    found[new.id, old.id] = Rehire(new, old, tuple(detail["by"]), free)
    return list(found.values())


def _by(shared: set[rehires.Shared]) -> list[str]:
    return sorted({each.by for each in shared})
