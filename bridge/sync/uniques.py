"""``unique:`` values, settled for whoever has none yet: the first that nobody else has."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from collections.abc import Mapping as Dict
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from bridge.errors import EntryFault
from bridge.mapping import Mapping
from bridge.mapping.settled import held
from bridge.model import Entry, Mapped, Served
from bridge.store import resources
from bridge.store.tables import fold

Path = tuple[str, ...]

_NAME: Path = ("userName",)


class Uniques:
    """Settles the unique values of one decision, in the order of asking.

    A value is taken that nobody has who is served, active or not, of any source, nor anybody who
    came earlier in this decision. Case makes no difference.
    """

    def __init__(self, connection: Connection, mapping: Mapping, now: datetime) -> None:
        self._c = connection
        self._mapping = mapping
        self._now = now
        self._paths = sorted(mapping.unique)
        self._given: dict[Path, dict[str, str]] = {path: {} for path in self._paths}
        """The folded values that this decision settled, and whose they are, by key."""
        self._taken: dict[Path, set[str]] = {}

    def settle(
        self,
        people: Dict[str, Mapped],
        entries: Dict[str, Sequence[Entry]],
        served: Dict[str, Served],
    ) -> dict[str, Mapped]:
        """``people``, by key, with the unique values that nobody else has.

        Whoever finds none free has a fault, like any other value that cannot be worked out.
        """
        found = dict(people)
        for path in self._paths:
            open_ = [
                key
                for key, mapped in found.items()
                if mapped.resource is not None
                and _at(mapped.resource.attributes, path) is not None
                and held(served.get(key), path) is None
            ]
            first = {fold(_value(found[key], path)) for key in open_}
            taken = self._in_use(path, first)
            for key in open_:
                try:
                    value = self._free(path, key, entries[key], taken)
                except EntryFault as fault:
                    found[key] = replace(found[key], resource=None, groups=(), faults=(str(fault),))
                    continue
                self._given[path][fold(value)] = key
                found[key] = _with(found[key], path, value)
        return found

    def _free(self, path: Path, key: str, entries: Sequence[Entry], taken: set[str]) -> str:
        looked_up = set(taken)
        for number, value in enumerate(self._mapping.candidates(entries, self._now, path)):
            name = fold(value)
            if number and name not in looked_up:
                looked_up |= self._in_use(path, [name])
            if name not in looked_up and self._given[path].get(name, key) == key:
                return value
        raise EntryFault(f"{'.'.join(path)}: somebody else has every value of `unique`")

    def _in_use(self, path: Path, names: Iterable[str]) -> set[str]:
        """Those of the folded values that somebody has who is served."""
        if path == _NAME:
            return set(resources.holders(self._c, names))
        if path not in self._taken:
            self._taken[path] = {fold(value) for value in resources.values(self._c, path)}
        return self._taken[path].intersection(names)


def _at(attributes: Dict[str, Any], path: Path) -> Any:
    value: Any = attributes
    for step in path:
        value = value.get(step) if isinstance(value, Dict) else None
    return value


def _value(mapped: Mapped, path: Path) -> str:
    assert mapped.resource is not None
    return str(_at(mapped.resource.attributes, path))


def _with(mapped: Mapped, path: Path, value: str) -> Mapped:
    assert mapped.resource is not None
    resource = mapped.resource
    return replace(
        mapped, resource=replace(resource, attributes=_put(resource.attributes, path, value))
    )


def _put(attributes: Dict[str, Any], path: Path, value: str) -> dict[str, Any]:
    first, *rest = path
    return {**attributes, first: _put(attributes[first], tuple(rest), value) if rest else value}
