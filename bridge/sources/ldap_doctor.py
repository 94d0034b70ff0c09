"""Examining an LDAP directory: the way to it, the login, and what a read would get."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from ldap3 import Connection

from bridge.errors import AccessRefused, IncompleteRead, SourceUnavailable
from bridge.model import MOST_SKEW, Kind, Wanted
from bridge.sources import SourceSettings
from bridge.sources.doctor import (
    Finding,
    State,
    fill_rates,
    incomplete,
    skipped,
    unavailable,
    unknown,
)
from bridge.sources.ldap import LdapSource, Settings
from bridge.sources.ldap_connection import close, log_in
from bridge.sources.ldap_decode import Decoded
from bridge.sources.ldap_directory import DirectorySettings
from bridge.sources.ldap_entry import MODIFIED, EntryReader
from bridge.sources.ldap_look import Server, look, server
from bridge.sources.ldap_reach import reached
from bridge.sources.ldap_search import ConnectionLost, Search, pages
from bridge.sources.ldap_server import Host
from bridge.sources.ldap_sync import Refused

_IDLE = ("base", "people", "id", "changes", "clock", "attributes", "fill")


@dataclass(frozen=True, slots=True)
class Manner:
    """In what a kind of directory differs from others here.

    ``id`` is the attribute with an entry's unchangeable id. ``partitioned`` says that continuation
    references lead to what no read is about. ``changes`` tells how changes are read.
    """

    id: str
    partitioned: bool
    changes: Callable[[Connection, Server, Sequence[EntryReader]], Finding]


def examine(settings: SourceSettings, folder: Path, wanted: Wanted) -> Iterator[Finding]:
    """As `examination`, of what `type: ldap` reads."""
    assert isinstance(settings, Settings)
    scope = LdapSource(settings, folder, wanted).scope()

    def told(connection: Connection, about: Server, readers: Sequence[EntryReader]) -> Finding:
        try:
            scope.begin(connection)
        except Refused as refused:
            return by_stamp(about, sum(reader.undated for reader in readers), str(refused))
        found = "by syncrepl (RFC 4533), deletions and moves among them"
        return Finding("changes", State.OK, found)

    manner = Manner(settings.id, partitioned=False, changes=told)
    return examination(settings, folder, wanted, manner)


def examination(
    settings: DirectorySettings, folder: Path, wanted: Wanted, manner: Manner
) -> Iterator[Finding]:
    """Examine each host as far as nobody has to log in, and the first that is reached further."""
    found: tuple[Host, Connection] | None = None
    try:
        for number, host in enumerate(settings.hosts, 1):
            needed = found is None and number == len(settings.hosts)
            connection = yield from reached(settings, folder, host, needed)
            if connection is not None and found is None:
                found = host, connection
            elif connection is not None:
                close(connection)
        if found is None:
            yield from skipped(("bind", *_IDLE), "no host is reached")
            return
        host, connection = found
        try:
            log_in(connection, host)
        except SourceUnavailable as error:
            advice = "try again later"
            if isinstance(error, AccessRefused):
                advice = (
                    "have it mended there, or correct `bind_dn` and `password`; it was tried once"
                )
            yield unavailable("bind", str(error), advice)
            yield from skipped(_IDLE, "nobody is logged in")
            return
        who = "as `bind_dn`" if settings.bind_dn else "anonymously: `bind_dn` is not set"
        who = "by Kerberos" if settings.principal else who
        yield Finding("bind", State.OK, f"logged in {who} at {host.url}")
        yield from _Examination(connection, settings, wanted, manner).findings()
    finally:
        if found is not None:
            close(found[1])


@dataclass(frozen=True, slots=True)
class _Part:
    """People under one base, or one kind of groups."""

    label: str
    base: str
    filter: str
    names: Sequence[str]
    kind: Kind = Kind.USER


class _Examination:
    """What is looked at once somebody is logged in."""

    def __init__(
        self, connection: Connection, settings: DirectorySettings, wanted: Wanted, manner: Manner
    ) -> None:
        self._connection = connection
        self._settings = settings
        self._manner = manner
        people = sorted({*settings.require, *wanted.attributes} - {"dn"})
        self._parts = [_Part("people", base, settings.filter, people) for base in settings.base]
        self._parts += [
            _Part("groups", each.base, each.filter, sorted(each.attributes - {"dn"}), Kind.GROUP)
            for each in wanted.groups
        ]
        self._counted: list[EntryReader] = []

    def findings(self) -> Iterator[Finding]:
        """Every step; what needs a base that is not there, or a search that failed, is skipped."""
        try:
            about = server(self._connection)
        except ConnectionLost as error:
            yield incomplete("base", f"{error} after the login", "look into the server's own log")
            yield from skipped(_IDLE[1:], "the connection was lost")
            return
        there = yield from self._bases()
        if not there:
            yield from skipped(_IDLE[1:], "a base is not seen")
            return
        counted = yield from self._counts(about)
        if not counted:
            yield from skipped(_IDLE[2:], "a search did not end well")
            return
        yield from self._names()
        try:
            yield self._manner.changes(self._connection, about, self._counted)
        except ConnectionLost as error:
            yield incomplete("changes", str(error), "run this again")
            yield from skipped(_IDLE[_IDLE.index("clock") :], "the connection was lost")
            return
        yield clock(about.time, max(reader.newest for reader in self._counted), datetime.now(UTC))
        yield from self._schema(about)
        yield from self._fill()

    def _bases(self) -> Generator[Finding, None, bool]:
        good = True
        for base in dict.fromkeys(part.base for part in self._parts):
            try:
                look(self._connection, base, ["1.1"])
            except (IncompleteRead, ConnectionLost) as error:
                good = False
                yield incomplete(
                    "base",
                    f"{base}: {error}",
                    "correct `base`, or give `bind_dn` the right to see it",
                )
            else:
                yield Finding("base", State.OK, f"{base} is there")
        return good

    def _counts(self, about: Server) -> Generator[Finding, None, bool]:
        """Walk through every page as a read does, for the ids alone."""
        good = True
        for part in self._parts:
            reader = EntryReader((), self._manner.id, part.kind)
            count = number = 0
            try:
                for page in self._pages(part, reader):
                    reader.take(page)
                    count += len(page)
                    number += 1
            except (IncompleteRead, ConnectionLost) as error:
                good = False
                advice = "the words above say what to change; until then nobody becomes absent"
                yield incomplete(part.label, f"{error}; {count:,} entries came before", advice)
                continue
            self._counted.append(reader)
            paged = f"{number:,} {'page' if number == 1 else 'pages'}"
            paged += f" of up to {self._settings.page_size:,} ended well"
            if not about.pages:
                paged += ", though the server does not say that it pages"
            found = f"{count:,} entries under {part.base} match {part.filter}; {paged}"
            if count or part.kind is Kind.GROUP:
                yield Finding(part.label, State.OK, found)
            else:
                good = False
                yield incomplete(
                    part.label, f"nobody under {part.base} matches {part.filter}",
                    "correct `base` or `filter`, or give `bind_dn` the right to read entries there",
                )  # fmt: skip
        return good

    def _names(self) -> Iterator[Finding]:
        id, unnamed = self._manner.id, sum(reader.unnamed for reader in self._counted)
        if unnamed:
            yield incomplete(
                "id", f"{unnamed:,} entries do not show exactly one {id}",
                f"set `id` to what this server calls it, or let `bind_dn` read {id}",
            )  # fmt: skip
        else:
            yield Finding("id", State.OK, f"each entry shows exactly one {id}")

    def _schema(self, about: Server) -> Iterator[Finding]:
        if not about.attribute_types:
            yield Finding("attributes", State.SKIPPED, "the server does not show its schema")
            return
        known = {name.casefold() for name in about.attribute_types}
        names = {name for part in self._parts for name in part.names}
        missing = [name for name in names if name.partition(";")[0].casefold() not in known]
        if missing:
            yield from unknown("attributes", missing, about.attribute_types, "the server has no")
        else:
            yield Finding("attributes", State.OK, f"the server's schema has all {len(names)}")

    def _fill(self) -> Iterator[Finding]:
        """How often each attribute has a value, on the first page of each search."""
        advice = "nothing, if nobody has to have it; otherwise let `bind_dn` read it"
        for label in ("people", "groups"):
            counts: Counter[str] = Counter()
            names: set[str] = set()
            total = 0
            for part in self._parts:
                if part.label != label:
                    continue
                names.update(part.names)
                reader = EntryReader(part.names, self._manner.id, part.kind)
                try:
                    entries = reader.take(next(self._pages(part, reader), []))
                except (IncompleteRead, ConnectionLost) as error:
                    yield incomplete("fill", str(error), "run this again")
                    return
                total += len(entries)
                for entry in entries:
                    counts.update(entry.attributes.keys())
            if total:
                yield from fill_rates(names, counts, total, label, advice)

    def _pages(self, part: _Part, reader: EntryReader) -> Iterator[list[Decoded]]:
        bases = [] if self._manner.partitioned else [each.base for each in self._parts]
        search = Search(part.base, part.filter, reader.asked, reader.decoder)
        return pages(self._connection, search, self._settings.page_size, bases)


def by_stamp(about: Server, undated: int, why: str) -> Finding:
    """How changes are read without syncrepl, given how many entries show no stamp and why it cannot
    be used; and what is offered beside."""
    if undated:
        found = f"{undated:,} entries show no {MODIFIED}, so every read reads everything"
        advice = f"let `bind_dn` read {MODIFIED}, or plan with what whole reads cost"
        return Finding("changes", State.WARNING, found, advice)
    others = f"; {about.changes}, which the server offers, is not used" if about.changes else ""
    found = f"by {MODIFIED}, which each entry shows; deletions by complete reads, for want of "
    found += f"syncrepl (RFC 4533): {why}{others}"
    return Finding("changes", State.OK, found)


def clock(theirs: datetime | None, newest: str, now: datetime) -> Finding:
    """The server's time against ours; where it is not told, its newest stamp is not ahead."""
    advice = "set both clocks by NTP: rules about dates go by the time of this machine"
    if theirs is not None:
        skew = theirs - now
        words = f"the server's clock is {abs(skew).total_seconds():.0f} s "
        words += "ahead" if skew > timedelta() else "behind"
        return Finding("clock", State.WARNING if abs(skew) > MOST_SKEW else State.OK, words,
                       advice if abs(skew) > MOST_SKEW else "")  # fmt: skip
    if not newest:
        return Finding("clock", State.SKIPPED, "the server does not tell its time")
    ahead = datetime.strptime(newest, "%Y%m%d%H%M%S").replace(tzinfo=UTC) - now
    if ahead > MOST_SKEW:
        found = f"the newest {MODIFIED} is {ahead.total_seconds():.0f} s in the future"
        return Finding("clock", State.WARNING, found, advice)
    found = f"the server does not tell its time; its newest {MODIFIED} is not in the future"
    return Finding("clock", State.OK, found)
