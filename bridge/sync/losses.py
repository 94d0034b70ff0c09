"""Attributes that a source shows of nobody any more, as when the right to read them is lost.

A server says nothing of a right that is gone: the attribute is merely not there, as it is where
nobody has one. So those who had an attribute are counted when they are read again without it.
Where all but a few of them lost it at once, nobody believes it: whoever had it keeps what was read
before, and the read is INCOMPLETE.

Whoever comes without something, and whoever is new, is put aside until the read ends and it is
known what was lost. So is whoever has several records that are told apart by their order alone:
which of them is gone, only a complete read tells.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import replace
from hashlib import blake2b

from bridge.mapping import Mapping as FileMapping
from bridge.model import Entry, Kind
from bridge.store import Store, entries, problems, records
from bridge.sync.spool import Spool

_MANY = 10
_FEW = 0.05
_NEARLY_ALL = 0.95
_SAMPLE = 100
_SHAPES = 10_000

Keyed = tuple[Entry, str | None]
"""An entry with the key of its person, if that could be worked out."""


_PEOPLE = -1
Part = int
"""People, or the search that finds groups, by its number."""


class Losses:
    """What a read found missing of what was there before; one that is not whole finds it in parts.

    ``mapping`` says which attributes matter: those that it uses.
    """

    def __init__(
        self, store: Store, source_id: int, mapping: FileMapping, aside: Spool[Keyed]
    ) -> None:
        self._store = store
        self._source_id = source_id
        used = {_PEOPLE: {name for name, _ in mapping.program.frames.attributes}}
        for section, groups in enumerate(mapping.directory_groups):
            used[section] = set(groups.search.attributes)
        self._asked = mapping.source_model.asked
        self._used: Mapping[Part, Set[str]] = used
        self._numbered = mapping.source_model.numbered
        self._several: set[str] = set()
        self._aside = aside
        self._shapes: Counter[tuple[Part, tuple[str, ...]]] = Counter()
        self._entries: Counter[Part] = Counter()
        self._having: Counter[tuple[Part, str]] = Counter()
        self._lost: Counter[tuple[Part, str]] = Counter()

    @property
    def waits(self) -> bool:
        """Whether anybody was put aside."""
        return len(self._aside) > 0

    def saw(self, read: Iterable[Entry]) -> None:
        """Count who has what."""
        # Most have the same attributes in the same order: to count those costs next to nothing.
        self._shapes.update((_part(entry), tuple(entry.attributes)) for entry in read)
        if len(self._shapes) > _SHAPES:
            self._count()

    def sift(self, changed: Sequence[Keyed]) -> list[Keyed]:
        """Those of whom something changed and who have all that they had before; the others are
        put aside. Who could not be served as the source had them may well be mended: what they
        lack counts for nothing."""
        if not changed:
            return []
        good: list[Keyed] = []
        aside: list[Keyed] = []
        lost: dict[str, set[tuple[Part, str]]] = {}
        stored = self._stored(changed)
        self._note_several(changed)
        for entry, key in changed:
            old = stored.get(entry.record_key)
            missing = set() if old is None else self._missing(entry, old)
            if missing:
                of_subject = lost.setdefault(_subject(entry, key), set())
                of_subject.update((_part(entry), name) for name in missing)
            stays = old is not None and not missing and key not in self._several
            (good if stays else aside).append((entry, key))
        self._aside.append(aside)
        with self._store.read() as connection:
            mended = problems.troubled(connection, self._source_id, lost)
        for subject in lost.keys() - mended:
            self._lost.update(lost[subject])
        return good

    def only_a_whole_read_tells(self) -> bool:
        """Whether somebody no longer has what nearly everybody had, and nobody else who was read
        has it either."""
        self._count()
        suspects = [of for of in self._lost if not self._having[of]]
        with self._store.read() as connection:
            some = {
                kind: entries.some(connection, self._source_id, kind, _SAMPLE)
                for kind in {_kind(part) for part, _ in suspects}
            }
        return any(_is_nearly_all(some[_kind(part)], name) for part, name in suspects)

    def put_aside(
        self, key_of: Callable[[Entry], str | None], complete: bool
    ) -> Iterator[list[Keyed]]:
        """Whoever was put aside and is to be stored, in pieces: as they are, but with what was
        lost as it was read before. Newcomers without it are not among them, nor, unless the read
        was ``complete``, whoever has several records that are told apart by their order."""
        lost = self._found()
        unsure = set() if complete and not lost else self._several
        for chunk in self._aside.chunks():
            chunk = [each for each in chunk if each[1] not in unsure]
            yield list(self._kept(lost, chunk, key_of)) if lost else chunk

    def told(self) -> str:
        """What was lost, in words that say what to do; empty for nothing."""
        found = self._found()
        losses = ", ".join(
            f"{name} (of {count:,} {'people' if part == _PEOPLE else 'groups'})"
            for part, names in sorted(found.items())
            for name, count in sorted(names.items())
        )
        return losses and (
            f"nobody who had it shows it any more: {losses}. They keep what was read before, and "
            "newcomers without it wait (give the account the right to read it, or mend the export; "
            "if nobody is to have it, take it out of the mapping file)"
        )

    def _found(self) -> dict[Part, dict[str, int]]:
        """The attributes that are lost, and how many had each: at least half of all, in a
        directory ten are enough, of whom not even one in twenty has it still."""
        self._count()
        # Rights are a directory's. What few rows of an export had may well be corrected at once.
        most = _MANY if self._asked else math.inf
        found: dict[Part, dict[str, int]] = defaultdict(dict)
        for (part, name), lost in self._lost.items():
            many = min(most, max(2, self._entries[part] / 2))
            if lost >= many and self._having[part, name] <= _FEW * lost:
                found[part][name] = lost
        return dict(found)

    def _kept(
        self,
        lost: Mapping[Part, Mapping[str, int]],
        chunk: Sequence[Keyed],
        key_of: Callable[[Entry], str | None],
    ) -> Iterator[Keyed]:
        stored = self._stored(chunk)
        with self._store.read() as connection:
            known = records.known(connection, self._source_id, stored)
        for entry, key in chunk:
            missing = lost.get(_part(entry), {}).keys() - entry.attributes.keys()
            old = stored.get(entry.record_key)
            if not missing:
                yield entry, key
            elif old is not None:
                kept = _with(entry, old, missing)
                if known[entry.record_key].gone or not _says_the_same(kept, old):
                    yield kept, key_of(kept)

    def _note_several(self, changed: Sequence[Keyed]) -> None:
        if self._numbered:
            keys = {key for _, key in changed if key is not None}
            with self._store.read() as connection:
                self._several |= entries.several(connection, self._source_id, keys)

    def _stored(self, keyed: Sequence[Keyed]) -> dict[str, Entry]:
        keys = [entry.record_key for entry, _ in keyed]
        with self._store.read() as connection:
            return entries.stored(connection, self._source_id, keys)

    def _missing(self, entry: Entry, old: Entry) -> set[str]:
        used = self._used[_part(entry)]
        return {name for name in old.attributes if name in used and name not in entry.attributes}

    def _count(self) -> None:
        for (part, names), count in self._shapes.items():
            self._entries[part] += count
            for name in names:
                self._having[part, name] += count
        self._shapes.clear()


def _with(entry: Entry, old: Entry, missing: Set[str]) -> Entry:
    before = {name: old.attributes[name] for name in old.attributes if name in missing}
    # Like nothing that the source ever shows: it is compared again with every read.
    digest = blake2b(entry.fingerprint + b"kept", digest_size=16).digest()
    attributes, names = {**entry.attributes, **before}, {**old.names, **entry.names}
    return replace(entry, attributes=attributes, fingerprint=digest, names=names)


def _says_the_same(one: Entry, other: Entry) -> bool:
    return (one.attributes, one.ref, one.names) == (other.attributes, other.ref, other.names)


def _is_nearly_all(some: Sequence[Entry], name: str) -> bool:
    """Whether an attribute is one that nearly every one of these entries has."""
    having = sum(name in entry.attributes for entry in some)
    return having > 0 and having >= _NEARLY_ALL * len(some)


def _subject(entry: Entry, key: str | None) -> str:
    if entry.kind is Kind.GROUP:
        return problems.GROUP + entry.record_key
    return problems.RECORD + entry.record_key if key is None else key


def _part(entry: Entry) -> Part:
    return _PEOPLE if entry.kind is Kind.USER else entry.section


def _kind(part: Part) -> Kind:
    return Kind.USER if part == _PEOPLE else Kind.GROUP
