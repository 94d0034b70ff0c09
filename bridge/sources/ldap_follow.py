"""All searches of a read followed together from one state to the next, or not at all."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from hashlib import blake2b
from typing import TypeVar

from ldap3 import Connection

from bridge import dn
from bridge.errors import IncompleteRead
from bridge.model import Entry
from bridge.sources.ldap_directory import check_named
from bridge.sources.ldap_entry import EntryReader
from bridge.sources.ldap_look import look
from bridge.sources.ldap_search import Search, ask, pages
from bridge.sources.ldap_sync import SYNC, Followed, Refused, beginning, follow

_UUID = "entryUUID"
# What else entries may lie in than one another. Such an entry takes what lies in it along when it
# is renamed or moved, and nothing of that counts as changed.
_UNITS = "".join(
    f"(objectClass={name})"
    for name in ("organizationalUnit", "organization", "locality", "country", "domain",
                 "nsContainer")
)  # fmt: skip
_LOOKED_UP = 100

_Item = TypeVar("_Item")


@dataclass(frozen=True, slots=True)
class State:
    """Up to where everything is known: the server's cookie of each search, whether it found
    anything, and the digest of the units in which entries lie."""

    cookies: tuple[bytes, ...]
    seen: tuple[bool, ...]
    units: str


@dataclass(frozen=True, slots=True)
class Changes:
    """What happened between two states.

    ``entries`` and ``present`` come in pieces. ``gone`` are record keys, and so are ``present``:
    where the changes are the ``whole`` of it, whatever is neither among those nor among the entries
    is gone, named or not. ``outside`` are those of ``gone`` that are somewhere else.
    """

    state: State
    entries: Sequence[Sequence[Entry]]
    gone: frozenset[str]
    outside: frozenset[str]
    present: Sequence[Sequence[str]]
    whole: bool


@dataclass(frozen=True, slots=True)
class Scope:
    """What a read is about: its searches, each with who reads its entries, and the attribute with
    an entry's id. ``page_size`` is how much is taken at a time."""

    searches: Sequence[tuple[EntryReader, Search]]
    id: str
    page_size: int

    @property
    def bases(self) -> list[str]:
        """Every base that is searched, once."""
        return list(dict.fromkeys(search.base for _, search in self.searches))

    def begin(self, connection: Connection) -> State:
        """The state before everything is read. Raises `Refused` where there is nothing by which
        changes could be followed, and `ConnectionLost`."""
        if self.id.lower() != _UUID.lower():
            raise Refused(f"it names entries by {_UUID}, which is not what `id` says")
        try:
            root = look(connection, "", ["supportedControl"])
            if SYNC.encode() not in root.get("supportedcontrol", ()):
                raise Refused("the server does not offer it")
            searches = [search for _, search in (*self.searches, *self._units())]
            cookies = [beginning(connection, search, self.bases) for search in searches]
            seen = [_is_anything_seen(connection, search) for _, search in self.searches]
            return State(tuple(cookies), tuple(seen), self._where(connection))
        except IncompleteRead as error:
            raise Refused(str(error)) from None

    def follow(self, connection: Connection, since: State) -> Changes:
        """What changed, all of it or nothing.

        Raises `Refused` where everything has to be read, `IncompleteRead` and `ConnectionLost`.
        """
        for base in self.bases:
            try:
                look(connection, base, ["1.1"])  # a server that knows of no change looks no further
            except IncompleteRead as error:
                raise IncompleteRead(f"{base}: {error}") from None
        asked = [search for _, search in (*self.searches, *self._units())]
        if len(asked) != len(since.cookies):
            raise Refused("there are other searches than before")
        followed = [
            follow(connection, search, self.bases, cookie)
            for search, cookie in zip(asked, since.cookies, strict=True)
        ]
        present = [bool(each.present) for each in followed]
        if any(present) and not all(present):
            raise Refused("it tells of one search what is gone, and of another what is there")
        found, units = followed[: len(self.searches)], followed[len(self.searches) :]
        known = {id for each in found for id in each.changed}
        # Each search names whatever was changed and is not for it, if it is for another one too.
        touched = any(each.entries or each.gone - known for each in units)
        if touched and self._where(connection) != since.units:
            raise Refused("units were moved, renamed, added or deleted")
        for (_, search), each, before in zip(self.searches, found, since.seen, strict=True):
            # Whoever may not be seen any more is said to be gone as soon as something of them is
            # changed. Where nobody may be seen, only reading everything tells the difference.
            if before and each.gone - known and not _is_anything_seen(connection, search):
                raise Refused("it shows nobody at all any more")
        seen = [
            before or bool(each.entries) for before, each in zip(since.seen, found, strict=True)
        ]
        state = State(tuple(each.cookie for each in followed), tuple(seen), since.units)
        entries, gone = self._entries(connection, found)
        pieces = list(_pieces(entries, self.page_size))
        named = list(self._present(found))
        outside = self._outside(connection, found) & gone
        return Changes(state, pieces, gone, outside, named, whole=all(present))

    def _entries(
        self, connection: Connection, found: Sequence[Followed]
    ) -> tuple[list[Entry], frozenset[str]]:
        """The entries that came, and the keys of those that went."""
        entries = []
        gone: set[str] = set()
        moved: dict[EntryReader, set[str]] = {}
        for (reader, _), each in zip(self.searches, found, strict=True):
            entries += reader.take(each.entries)
            gone.update(reader.key(id) for id in each.gone)
            moved.setdefault(reader, set()).update(each.gone - each.changed)
        for reader, search in self.searches:
            # From one base to the other, one of which may have told of it in an earlier read.
            if sum(other is reader for other, _ in self.searches) > 1:
                entries += self._looked_up(connection, reader, search, moved[reader], self.bases)
        check_named(sum(reader.unnamed for reader in moved), self.id)
        return entries, frozenset(gone.difference(entry.record_key for entry in entries))

    def _looked_up(
        self,
        connection: Connection,
        reader: EntryReader,
        search: Search,
        ids: Iterable[str],
        bases: Sequence[str],
    ) -> Iterator[Entry]:
        for some in _pieces(sorted(ids), _LOOKED_UP):
            any_of = "".join(f"({_UUID}={id})" for id in some)
            narrowed = search.narrowed(f"(|{any_of})")
            for page in pages(connection, narrowed, self.page_size, bases):
                yield from reader.take(page)

    def _outside(self, connection: Connection, found: Sequence[Followed]) -> frozenset[str]:
        """The keys of what is no longer found, but still there; as far as that is shown."""
        ids = {id for each in found for id in each.gone}
        there: set[str] = set()
        reader = EntryReader((), self.id)
        for context in self._contexts(connection) if ids else ():
            search = Search(context, "(objectClass=*)", reader.asked, reader.decoder)
            with suppress(IncompleteRead):
                there |= {
                    entry.record_key
                    for entry in self._looked_up(connection, reader, search, ids - there, bases=())
                }
        return frozenset(reader.key(id) for reader, _ in self.searches for id in there)

    def _contexts(self, connection: Connection) -> list[str]:
        """Where the bases are: what leaves them by a move does not leave these."""
        try:
            shown = look(connection, "", ["namingContexts"]).get("namingcontexts", ())
        except IncompleteRead:
            return []
        names = [value.decode(errors="replace") for value in shown]
        return [name for name in names if any(_is_under(base, name) for base in self.bases)]

    def _present(self, found: Sequence[Followed]) -> Iterator[Sequence[str]]:
        for (reader, _), each in zip(self.searches, found, strict=True):
            for ids in _pieces(each.present_ids(), self.page_size):
                yield [reader.key(id) for id in ids]

    def _units(self) -> list[tuple[EntryReader, Search]]:
        found = []
        for base in self.bases:
            reader = EntryReader((), self.id)
            found.append((reader, Search(base, f"(|{_UNITS})", reader.asked, reader.decoder)))
        return found

    def _where(self, connection: Connection) -> str:
        """Digest of all units and where they are."""
        seen = []
        for reader, search in self._units():
            for page in pages(connection, search, self.page_size, self.bases):
                seen += [f"{each.record_key} {each.attributes['dn']}" for each in reader.take(page)]
            check_named(reader.unnamed, self.id)
        return blake2b("\n".join(sorted(seen)).encode(), digest_size=16).hexdigest()


def _is_anything_seen(connection: Connection, search: Search) -> bool:
    answers, _ = ask(connection, search, search.base, size_limit=1)
    return any(type(answer) is tuple for answer in answers)


def _is_under(base: str, name: str) -> bool:
    try:
        return dn.is_under(base, name)
    except ValueError:
        return False


def _pieces(items: Sequence[_Item], size: int) -> Iterator[Sequence[_Item]]:
    for at in range(0, len(items), size):
        yield items[at : at + size]
