"""Which groups of a directory people are in: looked up from the people, chunk by chunk."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from collections.abc import Mapping as Dict
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection

from bridge.mapping import Mapping
from bridge.model import GroupKey, Mapped
from bridge.store import directory_groups, members, refs
from bridge.store.directory_groups import Group
from bridge.sync.groups import Groups
from bridge.sync.identity import identities


class Memberships:
    """The groups of a directory, as one decision sees them; it remembers those that it came by."""

    def __init__(
        self, connection: Connection, source_id: int, mapping: Mapping, groups: Groups
    ) -> None:
        self._c = connection
        self._source_id = source_id
        self._flatten = [each.flatten for each in mapping.directory_groups]
        self._new = groups.names
        self._parents: dict[int, set[int]] = {}
        self._groups: dict[int, Group] = {}
        self._keys: dict[int, frozenset[str]] = {}
        self._served: dict[str, bool] = {}

    def add(self, people: Dict[str, Mapped]) -> dict[str, Mapped]:
        """``people``, by key, each with the groups of the directory among the person's groups."""
        if not self._flatten:
            return dict(people)
        wanted = {
            key: mapped.resource.attributes
            for key, mapped in people.items()
            if mapped.resource is not None
        }
        found = self._of(wanted)
        return {
            key: replace(mapped, groups=_with(mapped.groups, found[key]))
            if key in found
            else mapped
            for key, mapped in people.items()
        }

    def of_new_groups(self) -> set[str]:
        """The keys of the people in groups that are not served yet and are going to be."""
        if not self._new:
            return set()
        served = directory_groups.served(self._c, self._source_id, self._new)
        records = directory_groups.of_keys(self._c, self._source_id, self._new.keys() - served)
        named = {name for record in records for name in members.everybody(self._c, record)}
        return set().union(*members.people_under(self._c, self._source_id, named))

    def _of(self, people: Dict[str, Dict[str, Any]]) -> dict[str, frozenset[str]]:
        named = self._named(people)
        self._climb({record for direct in named.values() for record in direct})
        keys = {
            key: frozenset().union(*(self._of_group(record) for record in direct))
            for key, direct in named.items()
        }
        self._learn_served(set().union(*keys.values()))
        return {
            key: frozenset(group for group in groups if self._served[group])
            for key, groups in keys.items()
        }

    def _named(self, people: Dict[str, Dict[str, Any]]) -> dict[str, set[int]]:
        """The groups that name each person themselves, or that the person's record names."""
        called: dict[str, list[tuple[str, str]]] = defaultdict(list)  # by: (ref, person's key)
        calls = {ref for _, ref in refs.names(self._c, self._source_id, people)}
        for ref, key in refs.people(self._c, self._source_id, calls).items():
            called[refs.BY].append((ref, key))
        for key, attributes in people.items():
            for by, ref in identities(key, attributes):
                called[by].append((ref, key))
        named: dict[str, set[int]] = {key: set() for key in people}
        for by, pairs in called.items():
            naming = members.naming(self._c, self._source_id, by, {ref for ref, _ in pairs})
            for ref, key in pairs:
                if key in named:
                    named[key] |= naming.get(ref, set())
        own = members.named_by_people(self._c, self._source_id, people)
        meant = members.groups_called(self._c, self._source_id, set().union(*own.values()))
        for key, groups in own.items():
            named[key] = named[key].union(*(meant[ref] for ref in groups if ref in meant))
        return named

    def _climb(self, records: Iterable[int]) -> None:
        """Learn of these groups and of all above them."""
        new = set(records) - self._parents.keys()
        while new:
            self._groups |= directory_groups.about(self._c, new)
            parents = members.parents(self._c, self._source_id, new)
            self._parents |= {record: parents.get(record, set()) for record in new}
            new = set().union(*parents.values()) - self._parents.keys()

    def _of_group(self, record: int) -> frozenset[str]:
        """The keys of the groups that the direct members of a group are in because of it."""
        if record not in self._keys:
            above = {record}
            pending = [record]
            while pending:
                for parent in self._parents[pending.pop()] - above:
                    above.add(parent)
                    pending.append(parent)
            self._keys[record] = frozenset(
                self._groups[each].key
                for each in above
                if each in self._groups
                and (each == record or self._flatten[self._groups[each].section])
            )
        return self._keys[record]

    def _learn_served(self, keys: Iterable[str]) -> None:
        unknown = set(keys) - self._served.keys()
        served = directory_groups.served(self._c, self._source_id, unknown)
        self._served |= {key: key in served or key in self._new for key in unknown}


def _with(derived: tuple[GroupKey, ...], keys: frozenset[str]) -> tuple[GroupKey, ...]:
    known = {group.key for group in derived}
    return (*derived, *(GroupKey(key, "") for key in sorted(keys - known)))
