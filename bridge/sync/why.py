"""Why a person is served as they are: the record, the rules, and the run that made it so."""

from __future__ import annotations

from collections.abc import Mapping as Dict
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection

from bridge.errors import FileFaults, UsageError
from bridge.mapping import Mapping
from bridge.mapping.explanation import Explanation
from bridge.model import Entry, Mapped, Served
from bridge.store import Store, audit, overrides, plans, problems, records, resources, runs
from bridge.store import entries as rows
from bridge.store import sources as source_rows
from bridge.store.plans import OpenChange
from bridge.store.problems import Problem
from bridge.store.tables import AuditRow, OverrideRow, RunRow, SourceRow
from bridge.sync import catalog, rehires
from bridge.sync.rehires import Rehire


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody a source has a record of, or who is served, or both."""

    source: SourceRow
    key: str
    served: Served | None

    @property
    def name(self) -> str:
        return self.served.user_name if self.served else self.key

    @property
    def source_id(self) -> int:
        assert self.source.id is not None
        return self.source.id


@dataclass(frozen=True, slots=True)
class Why:
    """Everything that explains one person.

    ``explanation`` is what the live mapping makes of the records now, None where there are none,
    and ``then`` what it will make of them at the next moment of change, if there is one. ``run``
    is the one whose publication changed the person last. ``outside`` says that the source still has
    the person, but not where it is read.
    """

    person: Person
    entries: tuple[Entry, ...]
    explanation: Explanation | None
    then: Mapped | None
    override: OverrideRow | None
    waiting: Dict[str, OpenChange]
    problem: Problem | None
    outside: bool
    rehires: tuple[Rehire, ...]
    history: tuple[AuditRow, ...]
    run: RunRow | None


def find(connection: Connection, text: str) -> Person:
    """The one person whom a text names: userName, mail, external id, key or SCIM id.

    Raises `UsageError` where it names nobody, or several.
    """
    sources = {row.id: row for row in source_rows.all(connection)}
    served = resources.find(connection, text)
    found = [Person(sources[person.source_id], person.key, person) for person in served]
    if not found:
        found = [
            Person(row, text, None)
            for id, row in sources.items()
            if id is not None and records.of_people(connection, id, [text])
        ]
    if not found:
        raise UsageError(
            f"nobody is called {text!r}: give a userName, e-mail, external id, key or SCIM id"
        )
    if len(found) > 1:
        ids = ", ".join(person.served.id if person.served else person.key for person in found)
        raise UsageError(f"{text!r} names {len(found)} people: give one of the ids {ids}")
    return found[0]


def why(store: Store, text: str, now: datetime) -> Why:
    """Explain the person whom ``text`` names; raises `UsageError` as `find` does."""
    with store.read() as connection:
        person = find(connection, text)
        key, source_id = person.key, person.source_id
        entries = tuple(records.of_people(connection, source_id, [key]).get(key, ()))
        explanation, then = _explain(person, entries, now)
        return Why(
            person=person,
            entries=entries,
            explanation=explanation,
            then=then,
            override=overrides.of(connection, source_id, [key], now).get(key),
            waiting=plans.open_changes(connection, source_id, [key]).get(key, {}),
            problem=problems.of(connection, source_id, key),
            rehires=_rehires(connection, person, now),
            outside=not entries and key in rows.outside(connection, source_id, [key]),
            history=tuple(audit.find(connection, audit.Search(source_id, key), 100)),
            run=runs.of_publication(connection, person.served.publication)
            if person.served
            else None,
        )


def _rehires(connection: Connection, person: Person, now: datetime) -> tuple[Rehire, ...]:
    """Of whom the person may be a rehire, or who may be one of theirs."""
    if person.served is None:
        return ()
    id = person.served.id
    possible = rehires.possible(connection, now)
    return tuple(each for each in possible if id in (each.new.id, each.old.id))


def _explain(
    person: Person, entries: tuple[Entry, ...], now: datetime
) -> tuple[Explanation | None, Mapped | None]:
    if not entries:
        return None, None
    mapping = _mapping(person.source)
    explanation = mapping.explain(entries, now, person.served)
    until = explanation.mapped.until
    return explanation, mapping.person(entries, until, person.served) if until else None


def _mapping(source: SourceRow) -> Mapping:
    if source.mapping_text:
        return catalog.compile(source.mapping_text, source.file)
    file = catalog.load_file(Path(source.file))
    if file.mapping is None:
        raise FileFaults(file.faults)
    return file.mapping
