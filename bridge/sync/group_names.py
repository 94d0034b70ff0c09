"""What groups are called, as they are served and as a decision would have it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from bridge.model import GroupKey
from bridge.store import Store, directory_groups, resources


@dataclass(frozen=True, slots=True)
class Renamed:
    """A group that is to be called otherwise and stays the same one."""

    key: str
    before: str
    after: str


class GroupNames:
    """The names of a source's groups, by key. ``said`` are those of the directory's groups that
    have news; those worked out from people are learned."""

    def __init__(self, store: Store, source_id: int, said: Mapping[str, str]) -> None:
        self._store = store
        self._source_id = source_id
        self._said = dict(said)
        self._learned: dict[str, str] = {}
        self._served: dict[str, str] = {}

    def learn(self, groups: Iterable[GroupKey]) -> None:
        """Take in what somebody's groups would be called; the first name of each counts."""
        for group in groups:
            if group.display_name:
                self._learned.setdefault(group.key, group.display_name)

    def of(self, keys: Collection[str]) -> list[str]:
        """What the groups are called, in order; one without a name by its key."""
        names = self._learned | self._said
        self._look_up(key for key in keys if key not in names and key not in self._served)
        return sorted(names.get(key) or self._served.get(key) or key for key in keys)

    def renamed(self) -> list[Renamed]:
        """The groups that are served under another name than they would be, in order."""
        with self._store.read() as connection:
            # A group that the directory has as well is called as it is there.
            there = directory_groups.there(connection, self._source_id, self._learned)
        learned = {key: name for key, name in self._learned.items() if key not in there}
        names = learned | self._said
        self._look_up(names)
        return sorted(
            (
                Renamed(key, before, name)
                for key, name in names.items()
                if (before := self._served.get(key)) and before != name
            ),
            key=lambda each: (each.before, each.key),
        )

    def _look_up(self, keys: Iterable[str]) -> None:
        if wanted := set(keys):
            with self._store.read() as connection:
                served = resources.group_names(connection, self._source_id, wanted)
            self._served |= dict.fromkeys(wanted, "") | served
