"""A publication: everything a decision writes, in one transaction.

Okta sees either all of it or nothing. Its number is drawn when something served really changes;
its time is set last and never lies before the one of the publication before it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime, timedelta

import orjson
from sqlalchemy import Connection, delete, func, select, update
from sqlalchemy import insert as plain_insert

from bridge.store import due, lease, problems
from bridge.store.group_rows import GroupRows
from bridge.store.problems import Problem
from bridge.store.statements import insert, many
from bridge.store.tables import PublicationRow, SchemaRow, ServingRow, SourceRow, table
from bridge.store.user_rows import UserRows, UserWrite

__all__ = ["Publication", "UserWrite", "publication"]

_publications = table(PublicationRow)
_schemas = table(SchemaRow)
_serving = table(ServingRow)
_sources = table(SourceRow)


class Publication:
    """What a decision writes through; ``connection`` is for plans, runs and audit beside it."""

    def __init__(self, c: Connection, now: Callable[[], datetime]) -> None:
        self.connection = c
        self._now = now
        self._number: int | None = None
        self._groups = GroupRows(c, self._drawn)
        self._users = UserRows(c, self._drawn, self._groups)

    @property
    def number(self) -> int | None:
        """The publication's number; None as long as nothing served has changed."""
        return self._number

    def put_groups(self, source_id: int, names: Mapping[str, str]) -> None:
        """Serve these groups, display name by key: new ones, renamed ones, and holes revived."""
        self._groups.put(source_id, names)

    def put_users(self, source_id: int, writes: Sequence[UserWrite]) -> None:
        """Serve these people; new ones get the next positions, in the order given.

        The groups of ``writes`` must have been put before.
        """
        self._users.put(source_id, writes)

    def drop_empty_groups(self, source_id: int) -> list[str]:
        """Make a hole of every group in which nobody is left and that no directory has; return
        their keys."""
        return self._groups.drop_empty(source_id)

    def set_due(self, source_id: int, moments: Mapping[str, datetime | None], as_of: int) -> None:
        """Set when each person is due next, None for never; who has had news since stays due.

        ``as_of`` is what `records.news` told before the decision looked at anybody.
        """
        due.decided(self.connection, source_id, moments, as_of)

    def set_problems(self, source_id: int, problem_of: Mapping[str, Problem | None]) -> None:
        """Note problems by subject, None for solved."""
        problems.put(self.connection, source_id, problem_of)

    def go_live(
        self, source_id: int, text: str, schemas: Mapping[str, Sequence[Mapping[str, object]]]
    ) -> None:
        """Make a mapping's text the live one, and its custom schemas, by URN, the served ones."""
        self.connection.execute(
            update(_sources)
            .where(_sources.c.id == source_id)
            .values(mapping_text=text, mapping_version=_sources.c.mapping_version + 1)
        )
        self.connection.execute(delete(_schemas).where(_schemas.c.source_id == source_id))
        rows = [
            {"source_id": source_id, "urn": urn, "attributes": orjson.dumps(list(attributes))}
            for urn, attributes in schemas.items()
        ]
        many(self.connection, plain_insert(_schemas), rows)

    def first_load_done(self, source_id: int) -> None:
        """Note that the people of a source are served from now on."""
        self.connection.execute(
            update(_sources).where(_sources.c.id == source_id).values(loaded_at=self._now())
        )

    def open_serving(self) -> None:
        """Let the web role answer, for good, or until a backup is restored."""
        statement = insert(self.connection, _serving).values(id=1, since=self._now())
        self.connection.execute(statement.on_conflict_do_nothing())
        self.connection.execute(update(_serving).where(_serving.c.restored).values(restored=False))

    def is_restored(self) -> bool:
        """Whether the store is a backup's, of which nothing is served yet."""
        return bool(self.connection.execute(select(_serving.c.restored)).scalar())

    def end(self, run_id: int) -> None:
        """Write what is written last: counters, changed groups, the number and its time."""
        self._users.flush()
        self._groups.flush()
        if self._number is None:
            return
        before = self.connection.execute(select(func.max(_publications.c.at))).scalar_one()
        now = self._now()
        at = now if before is None else max(now, before)
        self.connection.execute(
            plain_insert(_publications).values(number=self._number, at=at, run_id=run_id)
        )

    def _drawn(self) -> int:
        # The lease is locked, so nobody else draws the same number.
        if self._number is None:
            highest = select(func.coalesce(func.max(_publications.c.number), 0))
            self._number = int(self.connection.execute(highest).scalar_one()) + 1
        return self._number


@contextmanager
def publication(
    transaction: AbstractContextManager[Connection],
    *,
    epoch: int,
    run_id: int,
    now: Callable[[], datetime],
    ttl: timedelta,
) -> Iterator[Publication]:
    """Publish in a transaction, under the lease of that epoch; `LeaseHeld` where it is lost.

    The lease is good for ``ttl`` from the end on.
    """
    with transaction as c:
        lease.check(c, epoch)
        published = Publication(c, now)
        yield published
        published.end(run_id)
        # Last, because on PostgreSQL a renewal elsewhere would have to wait for this row.
        lease.renew(c, epoch, now(), ttl)
