"""The nouns of the bridge, frozen: what a source read, what Okta is served, what lies between.

source --read--> Entry --mapping--> Resource --compare--> Change --limits--> Page --> JSON
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cached_property
from typing import Any, NamedTuple

import orjson

from bridge.filter import Filter

USER_URN = "urn:ietf:params:scim:schemas:core:2.0:User"
GROUP_URN = "urn:ietf:params:scim:schemas:core:2.0:Group"
ENTERPRISE_URN = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"

# Part of every SCIM id ever served: changing it would make everybody look new to Okta.
_ID_NAMESPACE = uuid.UUID("5b1d6e0a-7f0c-5a43-9f6e-4d1f2c8b7a90")


class Kind(StrEnum):
    """A kind of resource, as SCIM names it (RFC 7643 section 6)."""

    USER = "User"
    GROUP = "Group"


def resource_id(kind: Kind, source: str, key: str) -> str:
    """The permanent SCIM ``id``: the same source name and key give the same id, for ever."""
    return str(uuid.uuid5(_ID_NAMESPACE, f"{kind}\n{source}\n{key}"))


# -- asked for ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class GroupSearch:
    """Groups that a directory is asked for: those under ``base`` that ``filter`` matches."""

    base: str
    filter: str
    attributes: frozenset[str]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a mapping wants its source to ask for: a person's attributes, and groups."""

    attributes: frozenset[str] = frozenset()
    groups: tuple[GroupSearch, ...] = ()


MOST_SKEW = timedelta(seconds=300)
"""How far the clocks of a source and of this machine may be apart before dates are in doubt."""

# -- observed ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Entry:
    """One record as a source read it, in the source's own words, always whole.

    ``record_key`` is the source's own immutable name for it; ``ref`` is what other entries call
    it (a DN), if anything. ``attributes`` hold text, bytes, numbers, booleans or lists of them.
    Two readings of an unchanged record have the same 16-byte ``fingerprint``. ``section`` tells
    of a group which of the searches in ``Wanted.groups`` found it. ``names`` gives, for names of
    others that its values hold, what those others are called by themselves (their ``ref``), where
    that is not the same: a DN in Active Directory may be anybody's tomorrow, a GUID may not.
    ``member_of`` are the refs of groups that a person is in though they do not say so themselves.
    """

    record_key: str
    attributes: Mapping[str, Any]
    fingerprint: bytes
    ref: str | None = None
    kind: Kind = Kind.USER
    section: int = 0
    names: Mapping[str, str] = field(default_factory=dict)
    member_of: tuple[str, ...] = ()

    def named(self, link: Link) -> Link:
        """A link from this entry, to what its name means here."""
        meant = self.names.get(link.ref) if link.by == "dn" else None
        return link if meant is None else replace(link, ref=meant)


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a read ended: COMPLETE, or INCOMPLETE with the reason.

    ``whole`` says that everything was read, so that what was not seen is gone; a read of changes
    alone is complete without being whole and proves no absence.
    """

    complete: bool
    whole: bool = False
    reason: str = ""

    @property
    def word(self) -> str:
        return "COMPLETE" if self.complete else "INCOMPLETE"


@dataclass(frozen=True, slots=True)
class Batch:
    """A part of a read: entries, record keys that the source says are deleted, and the cookie
    that is true once this batch is stored. The last batch of a read carries the verdict.

    ``present`` are the record keys of those who are there and are as they were read last: a read is
    whole also where it says that of whoever did not change.

    ``outside`` are those of ``gone`` whom the source still has, but not where it is read.

    ``as_of`` is when the source itself wrote what is read here, where it says so: a read of
    something older than what was read before is not believed. ``certificate_ends`` is when the
    certificate stops being good that the server showed, where it showed one, and ``password_ends``
    when the password does by which the source was read, where that is known. ``skew`` is how far
    the source's clock is ahead of this machine's, where the source tells its time.
    """

    entries: Sequence[Entry] = ()
    gone: Sequence[str] = ()
    outside: Sequence[str] = ()
    present: Sequence[str] = ()
    cookie: bytes | None = None
    verdict: Verdict | None = None
    as_of: datetime | None = None
    certificate_ends: datetime | None = None
    password_ends: datetime | None = None
    skew: timedelta | None = None


# -- mapped ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Link:
    """A reference to another person, answered when it is stored.

    ``path`` is where the answer goes (``("urn:...:User", "manager", "value")``), ``by`` what the
    other is known by (``dn``, ``key``, ``externalId`` or ``userName``), ``ref`` that name, and
    ``want`` which attribute of theirs is the answer (``id``, ``userName``, ``displayName`` ...).
    """

    path: tuple[str, ...]
    by: str
    ref: str
    want: str = "id"


@dataclass(frozen=True, slots=True)
class Resource:
    """A SCIM 2.0 resource without ``id``, ``schemas`` and ``meta``, its links still open.

    ``attributes`` are JSON values under SCIM 2.0 names, extensions under their URN, nothing
    empty and nothing null; ``active`` is among them.
    """

    kind: Kind
    attributes: Mapping[str, Any]
    links: tuple[Link, ...] = ()


@dataclass(frozen=True, slots=True)
class GroupKey:
    """A group that a person belongs to, worked out from the person."""

    key: str
    display_name: str


@dataclass(frozen=True, slots=True)
class Mapped:
    """What the mapping makes of one record at one moment.

    Exactly one of three: a ``resource``; ``skipped`` with its reason; or ``faults``, each a
    sentence. ``active`` is known beside faults too where the rules alone could be worked out.
    ``rule`` is the text of the rule that decided. ``absent`` says that they are inactive only
    because another record of theirs is gone. ``until`` is the next moment at which the answer may
    differ although the record does not.
    """

    resource: Resource | None = None
    skipped: str = ""
    faults: tuple[str, ...] = ()
    active: bool | None = None
    reason: str = ""
    rule: str = ""
    absent: bool = False
    groups: tuple[GroupKey, ...] = ()
    until: datetime | None = None

    @property
    def leaves(self) -> bool:
        """Whether the person is not to be active, whatever else could not be worked out."""
        return bool(self.skipped) or self.active is False


@dataclass(frozen=True, slots=True)
class GroupMapped:
    """What the mapping makes of the entry of a directory's group: a group, or its ``faults``.

    With faults ``key`` is empty, unless nothing but the ``display_name`` could not be worked out.
    ``members`` are its direct ones, people and groups, each named once.
    """

    key: str = ""
    display_name: str = ""
    members: tuple[Link, ...] = ()
    faults: tuple[str, ...] = ()


# -- served ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Served:
    """A person as Okta is served now: the stored document, and what stands beside it."""

    position: int
    id: str
    key: str
    user_name: str
    active: bool
    ever_active: bool
    document: bytes
    links: tuple[Link, ...] = ()
    groups: frozenset[str] = frozenset()
    reason: str = ""
    publication: int = 0
    source_id: int = 0

    @cached_property
    def attributes(self) -> Mapping[str, Any]:
        """The attributes of the document, as those of a `Resource`, its links answered."""
        attributes: dict[str, Any] = orjson.loads(self.document)
        for name in ("schemas", "id"):
            attributes.pop(name, None)
        return attributes


@dataclass(frozen=True, slots=True)
class Query:
    """A list request: ``start`` counts from 1, among those that meet the ``filter``, if any.

    Without ``members`` the documents of groups come without them, however many there are.
    """

    kind: Kind
    start: int = 1
    count: int = 100
    filter: Filter | None = None
    members: bool = True


class Latest(NamedTuple):
    """The publication that was made last, of all or of those that a page shows.

    The time tells it from one of the same number, before a backup was restored.
    """

    number: int
    at: datetime


class Stamp(NamedTuple):
    """What tells whether a page of people is what it was: a change has a publication of its own."""

    total: int
    rows: int
    latest: Latest


class Row(NamedTuple):
    """One served row: the document without ``meta``, and what ``meta`` is made of."""

    id: str
    document: bytes
    publication: int
    modified: datetime


@dataclass(frozen=True, slots=True)
class Page:
    """The rows of one answer, and the total they are part of."""

    total: int
    rows: Sequence[Row] = field(default_factory=tuple)
