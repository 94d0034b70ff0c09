"""The groups of a directory that a decision looks at: their names, and what is wrong with them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection

from bridge.mapping import Mapping
from bridge.store import directory_groups, problems
from bridge.store.problems import Problem


@dataclass(slots=True)
class Groups:
    """The groups that have news: ``names`` by key, ``problems`` by subject, None for none.

    Who is in them is part of each person's change.
    """

    names: dict[str, str] = field(default_factory=dict)
    problems: dict[str, Problem | None] = field(default_factory=dict)


def groups(
    connection: Connection, source_id: int, mapping: Mapping, now: datetime, everything: bool
) -> Groups:
    """What ``mapping`` makes of the groups that have news, or of every group.

    A group with a fault keeps the name and the members that it had. Records with one key are one
    group: its members are those of all, its name is one of theirs.
    """
    found = Groups()
    for read in directory_groups.news(connection, source_id, everything):
        subject = problems.GROUP + read.entry.record_key
        found.problems[subject] = None
        if not read.there or read.entry.section >= len(mapping.directory_groups):
            continue
        group = mapping.group(read.entry)
        if group.faults:
            called = read.entry.attributes.get("dn") or read.entry.ref or read.entry.record_key
            messages = tuple(f"{called}: {fault}" for fault in group.faults)
            found.problems[subject] = Problem(messages, now)
        else:
            found.names.setdefault(group.key, group.display_name)
    return found
