"""Links between people, answered: a manager's ref becomes that person's id or userName."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import Connection

from bridge.model import Link, Served
from bridge.store import refs, resources
from bridge.sync.identity import identities


class Answers:
    """What the people that others refer to will be served as, once this run is published.

    First every link is `ask`ed for and `settle` finds whose refs are named, then each person of
    the run is `offer`ed, then `look_up` finds the rest among those who are served and not changed
    by the run.
    """

    def __init__(self) -> None:
        self._asked: set[tuple[str, str]] = set()
        self._meant: dict[tuple[str, str], tuple[str, str]] = {}
        self._wants: set[str] = set()
        self._answers: dict[tuple[str, str], Mapping[str, Any]] = {}
        self._changed: set[tuple[str, str]] = set()
        self._by_key_alone = False

    def ask(self, links: Iterable[Link]) -> None:
        for link in links:
            self._asked.add(_name(link))
            self._wants.add(link.want)

    def settle(self, connection: Connection, source_id: int) -> None:
        """Find the people whom refs mean: from here on they are asked for by their keys."""
        named = {name for name in self._asked if name[0] == refs.BY}
        meant = refs.people(connection, source_id, (ref for _, ref in named))
        self._meant = {(refs.BY, ref): ("key", key) for ref, key in meant.items()}
        self._asked = (self._asked - named).union(self._meant.values())
        self._by_key_alone = all(by == "key" for by, _ in self._asked)

    def may_mean(self, key: str) -> bool:
        """Whether the person with this key may be an answer; any other need not be offered."""
        return not self._by_key_alone or ("key", key) in self._asked

    def offer(
        self, id: str, key: str, before: Served | None, attributes: Mapping[str, Any] | None
    ) -> None:
        """A person of this run, as they will be served; None where they will not be."""
        if before is not None:
            self._changed.update(
                name for name in identities(key, before.attributes) if name in self._asked
            )
        if attributes is not None:
            for name in identities(key, attributes):
                if name in self._asked:
                    self._answers[name] = self._answer(id, attributes)

    def look_up(self, connection: Connection, source_id: int) -> None:
        """Answer from the store what no person of this run answers."""
        missing: dict[str, list[str]] = defaultdict(list)
        for by, ref in self._asked - self._answers.keys() - self._changed:
            missing[by].append(ref)
        for by, names in missing.items():
            for ref, person in resources.resolve(connection, source_id, by, names).items():
                self._answers[by, ref] = self._answer(person.id, person.attributes)

    def fill(self, attributes: Mapping[str, Any], links: Iterable[Link]) -> dict[str, Any]:
        """``attributes`` with every link's answer in its place; nothing where nobody answers."""
        filled = dict(attributes)
        for link in links:
            name = _name(link)
            answer = self._answers.get(self._meant.get(name, name), {}).get(link.want)
            _put(filled, link.path, answer)
        return filled

    def _answer(self, id: str, attributes: Mapping[str, Any]) -> dict[str, Any]:
        answer = {want: attributes[want] for want in self._wants if want in attributes}
        answer["id"] = id
        return answer


def _name(link: Link) -> tuple[str, str]:
    return link.by, link.ref.casefold() if link.by == "userName" else link.ref


def _put(attributes: dict[str, Any], path: tuple[str, ...], value: Any) -> None:
    """Set or remove the value at ``path``; the dicts on the way are copied, empty ones dropped."""
    name, rest = path[0], path[1:]
    if rest:
        inner = dict(attributes.get(name, {}))
        _put(inner, rest, value)
        value = inner or None
    if value is None:
        attributes.pop(name, None)
    else:
        attributes[name] = value
