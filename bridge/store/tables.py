"""The tables of the store, one class each; the same on SQLite and PostgreSQL.

Two layers. *Records* (`RecordRow`, `DirectoryGroupRow`, `MemberRow`, the cookie in `SourceRow`,
`DueRow`) are what was read. *Resources* (`UserRow`, `GroupRow`, `MembershipRow`, `LinkRow`,
`SchemaRow`) are what Okta is served. A read moves only the first, a publication moves the second,
whole, in one transaction.

Instants are whole microseconds since 1970 (`Instant`): exact, ordered, the same everywhere.
Keys (`Key`) are ordered by code point, whatever the collation of a PostgreSQL database. Large
columns stand last in a row, so that reading the others does not walk through them.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import BigInteger, Index, LargeBinary, String, Table, Text, text
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator, TypeEngine
from sqlmodel import Field, SQLModel

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Instant(TypeDecorator[datetime]):
    """An aware datetime, stored as whole microseconds since 1970-01-01T00:00Z."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        return None if value is None else (value - _EPOCH) // timedelta(microseconds=1)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        return None if value is None else self.of(value)

    @staticmethod
    def of(stored: int) -> datetime:
        """The instant that a stored number means."""
        return _EPOCH + timedelta(microseconds=stored)


class Key(TypeDecorator[str]):
    """Text that is compared and ordered by code point on every database."""

    impl = String
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        collation = "C" if dialect.name == "postgresql" else None
        return dialect.type_descriptor(String(collation=collation))


# A table whose rows are little more than their primary key is kept in that key's tree alone.
_KEY_ONLY = {"sqlite_with_rowid": False}


# -- what was read -----------------------------------------------------------------------------


class SourceRow(SQLModel, table=True):
    """A source, by its permanent name, with the mapping that is live for it."""

    __tablename__ = "source"
    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(unique=True)
    file: str = ""
    """The mapping file's path as last seen, for people to find it."""
    mapping_text: str = Field(default="", sa_type=Text)
    """The live mapping; empty until the first load is published."""
    mapping_version: int = 0
    """Counts the texts that went live."""
    words: str = ""
    """Digest of the ``source:`` section in whose words the records are; empty while they are
    mixed, from the first batch of another section until a whole read of it is complete."""
    cookie: bytes | None = Field(default=None, sa_type=LargeBinary)
    loaded_at: datetime | None = Field(default=None, sa_type=Instant)
    """When the first load was published."""
    complete_at: datetime | None = Field(default=None, sa_type=Instant)
    """When the last whole, complete read ended."""
    as_of: datetime | None = Field(default=None, sa_type=Instant)
    """When the source wrote what was read last, where it says so."""
    people: int = 0
    """People served, whether active or not; kept by the publication."""
    active: int = 0
    """People served as active; kept by the publication."""
    news: int = 0
    """Counts what made people due; a decision takes back only marks as old as its own count."""
    paused: str = ""
    """Why nothing is read from this source just now; empty where it is."""


class RecordRow(SQLModel, table=True):
    """One record as it was last read."""

    __tablename__ = "record"
    __table_args__ = (
        Index("record_by_key", "source_id", "record_key", unique=True),
        Index("record_by_person", "source_id", "person_key"),
        Index("record_live", "source_id", "gone_at", "run_id"),
        # Of sources that have refs alone: a million people of an export cost nothing here.
        Index(
            "record_by_ref",
            "source_id",
            "ref",
            sqlite_where=text("ref IS NOT NULL"),
            postgresql_where=text("ref IS NOT NULL"),
        ),
    )
    id: int | None = Field(default=None, primary_key=True)
    source_id: int
    record_key: str = Field(sa_type=Key)
    person_key: str | None = Field(default=None, sa_type=Key)
    """What the mapping's ``key`` makes of it; None where that cannot be worked out."""
    ref: str | None = None
    kind: str
    fingerprint: bytes = Field(sa_type=LargeBinary)
    run_id: int
    """The read that last changed it."""
    read_at: datetime = Field(sa_type=Instant)
    gone_at: datetime | None = Field(default=None, sa_type=Instant)
    attributes: bytes = Field(sa_type=LargeBinary)
    """JSON; a value of bytes is an object ``{"$bytes": base64}``."""


class FormerRefRow(SQLModel, table=True):
    """What a record was called before: it means that record until another one is called so."""

    __tablename__ = "former_ref"
    __table_args__ = (Index("former_ref_of_record", "record_id"), _KEY_ONLY)
    source_id: int = Field(primary_key=True)
    ref: str = Field(primary_key=True)
    record_id: int


class DirectoryGroupRow(SQLModel, table=True):
    """What the mapping made of the record of a directory's group when it was read."""

    __tablename__ = "directory_group"
    __table_args__ = (
        Index("directory_group_by_key", "source_id", "key"),
        Index(
            "directory_group_news",
            "source_id",
            "mark",
            sqlite_where=text("mark IS NOT NULL"),
            postgresql_where=text("mark IS NOT NULL"),
        ),
    )
    record_id: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    source_id: int
    section: int
    """Which of the mapping's searches for groups found it."""
    key: str | None = Field(default=None, sa_type=Key)
    """The group's key; None where that could never be worked out."""
    mark: int | None = None
    """The number of its latest news (`SourceRow.news`) that no decision has seen yet."""


class MemberRow(SQLModel, table=True):
    """A member that a directory's group names: a person, or another group by its DN."""

    __tablename__ = "member"
    __table_args__ = (Index("member_by_ref", "source_id", "by", "ref"), _KEY_ONLY)
    record_id: int = Field(primary_key=True)
    by: str = Field(primary_key=True)
    ref: str = Field(primary_key=True, sa_type=Key)
    """As in `LinkRow`."""
    source_id: int


class DueRow(SQLModel, table=True):
    """A person the next decision must look at, from ``at`` on."""

    __tablename__ = "due"
    __table_args__ = (Index("due_by_time", "source_id", "at"), _KEY_ONLY)
    source_id: int = Field(primary_key=True)
    person_key: str = Field(primary_key=True, sa_type=Key)
    at: datetime = Field(sa_type=Instant)
    mark: int = 0
    """The number of the latest news of this person (`SourceRow.news`)."""


class ProblemRow(SQLModel, table=True):
    """Why a person, or a record whose person is unknown, could not be mapped or published."""

    __tablename__ = "problem"
    source_id: int = Field(primary_key=True)
    subject: str = Field(primary_key=True, sa_type=Key)
    """The person's key, or ``record:`` and the record's key where the person is unknown."""
    messages: str = Field(sa_type=Text)
    """A JSON list of sentences."""
    waits_for: str | None = Field(default=None, index=True, sa_type=Key)
    """The folded userName that this person waits for somebody to give up."""
    since: datetime = Field(sa_type=Instant)


# -- what is served ----------------------------------------------------------------------------


class UserRow(SQLModel, table=True):
    """A person Okta is served; the row and its position are never removed."""

    __tablename__ = "users"
    __table_args__ = (
        Index("users_by_key", "source_id", "key", unique=True),
        Index("users_by_name", "name_fold"),
        Index("users_by_external_id", "external_id"),
        Index("users_by_email", "email_fold"),
    )
    position: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    id: str = Field(unique=True)
    source_id: int
    key: str = Field(sa_type=Key)
    user_name: str
    name_fold: str = Field(sa_type=Key)
    """``user_name`` folded as `fold` does, for ``userName eq``."""
    external_id: str | None = Field(default=None, sa_type=Key)
    email_fold: str | None = Field(default=None, sa_type=Key)
    """The primary e-mail, folded."""
    active: bool
    ever_active: bool
    reason: str
    """Why ``active`` is what it is, in the mapping's words."""
    publication: int
    """The publication that last changed it: its ETag and ``lastModified``."""
    document: bytes = Field(sa_type=LargeBinary)
    """SCIM 2.0 JSON without ``meta``, ready to send."""
    links: bytes | None = Field(default=None, sa_type=LargeBinary)
    """JSON of the links the document was rendered with."""
    groups: bytes | None = Field(default=None, sa_type=LargeBinary)
    """JSON list of the keys of the derived groups this person belongs to."""


class GroupRow(SQLModel, table=True):
    """A group Okta is served; a deleted one stays as a hole, so that no position moves."""

    __tablename__ = "groups"
    __table_args__ = (
        Index("groups_by_key", "source_id", "key", unique=True),
        Index("groups_by_name", "name_fold"),
    )
    position: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    id: str = Field(unique=True)
    source_id: int
    key: str = Field(sa_type=Key)
    display_name: str
    name_fold: str = Field(sa_type=Key)
    publication: int
    document: bytes | None = Field(default=None, sa_type=LargeBinary)
    """SCIM 2.0 JSON without ``members`` and ``meta``; None for a hole."""


class MembershipRow(SQLModel, table=True):
    """A person in a group."""

    __tablename__ = "membership"
    __table_args__ = (_KEY_ONLY,)
    group_position: int = Field(primary_key=True)
    user_position: int = Field(primary_key=True)


class LinkRow(SQLModel, table=True):
    """Who refers to whom: found by the name that is referred to."""

    __tablename__ = "link"
    __table_args__ = (_KEY_ONLY,)
    source_id: int = Field(primary_key=True)
    by: str = Field(primary_key=True)
    ref: str = Field(primary_key=True, sa_type=Key)
    """Folded where ``by`` is ``userName``."""
    user_position: int = Field(primary_key=True)


class SchemaRow(SQLModel, table=True):
    """A custom extension schema, as ``/Schemas`` answers it, from one source's live mapping."""

    __tablename__ = "scim_schema"
    source_id: int = Field(primary_key=True)
    urn: str = Field(primary_key=True)
    attributes: bytes = Field(sa_type=LargeBinary)
    """JSON list of attribute definitions (RFC 7643 section 7)."""


class PublicationRow(SQLModel, table=True):
    """A publication's number and time; the time is set last and never goes backwards."""

    __tablename__ = "publication"
    number: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    at: datetime = Field(sa_type=Instant)
    run_id: int


class ServingRow(SQLModel, table=True):
    """One row from the day on which everybody's first load was approved; before it, 503."""

    __tablename__ = "serving"
    id: int = Field(default=1, primary_key=True)
    since: datetime = Field(sa_type=Instant)


# -- how it came about -------------------------------------------------------------------------


class RunRow(SQLModel, table=True):
    """The account of one sync."""

    __tablename__ = "run"
    id: int | None = Field(default=None, primary_key=True)
    source_id: int = Field(index=True)
    mode: str
    """``full``, ``changes`` or ``decide`` (no read)."""
    actor: str
    """Who asked: ``schedule``, ``file``, or a person's login name."""
    started_at: datetime = Field(sa_type=Instant)
    ended_at: datetime | None = Field(default=None, sa_type=Instant)
    verdict: str = ""
    """``COMPLETE``, ``INCOMPLETE``, ``FAILED``, or empty where nothing was read."""
    reason: str = ""
    counts: str = Field(default="{}", sa_type=Text)
    """JSON: entries read, records changed, people by kind of change."""
    held: str = Field(default="{}", sa_type=Text)
    """JSON: people by kind of change that this run held."""
    publication: int | None = None


class PlanRow(SQLModel, table=True):
    """Changes that wait for a person's word."""

    __tablename__ = "plan"
    id: int | None = Field(default=None, primary_key=True)
    source_id: int = Field(index=True)
    hash: str = Field(index=True, sa_type=Key)
    purpose: str
    """``first_load``, ``edit`` (a new mapping text) or ``changes``."""
    state: str = Field(index=True)
    """``held``, ``approved``, ``rejected``, ``lapsed`` or ``published``."""
    counts: str = Field(default="{}", sa_type=Text)
    """JSON: changes by kind."""
    mapping_text: str | None = Field(default=None, sa_type=Text)
    run_id: int
    created_at: datetime = Field(sa_type=Instant)
    decided_at: datetime | None = Field(default=None, sa_type=Instant)
    decided_by: str = ""


class PlanChangeRow(SQLModel, table=True):
    """One change of a plan: this person, this kind, to this target."""

    __tablename__ = "plan_change"
    __table_args__ = (Index("plan_change_by_subject", "source_id", "subject"), _KEY_ONLY)
    plan_id: int = Field(primary_key=True)
    subject: str = Field(primary_key=True, sa_type=Key)
    kind: str = Field(primary_key=True, sa_type=Key)
    source_id: int
    target: str
    fact: str
    """Digest of the record that spoke: a rejection stands until it changes."""
    before: str = ""
    after: str = ""


class OverrideRow(SQLModel, table=True):
    """Somebody's word that a person is active or is not, which wins over the source."""

    __tablename__ = "override"
    id: int | None = Field(default=None, primary_key=True)
    source_id: int
    person_key: str = Field(index=True, sa_type=Key)
    active: bool
    reason: str
    actor: str
    created_at: datetime = Field(sa_type=Instant)
    until: datetime | None = Field(default=None, sa_type=Instant)
    ended_at: datetime | None = Field(default=None, sa_type=Instant)


class RequestRow(SQLModel, table=True):
    """A command's wish that the running daemon syncs or decides."""

    __tablename__ = "request"
    id: int | None = Field(default=None, primary_key=True)
    source_id: int
    mode: str
    actor: str
    created_at: datetime = Field(sa_type=Instant)
    run_id: int | None = None
    ended_at: datetime | None = Field(default=None, sa_type=Instant)
    exit_code: int | None = None
    message: str = ""


class AuditRow(SQLModel, table=True):
    """Something that happened to a person, a plan or a token; only ever added to."""

    __tablename__ = "audit"
    __table_args__ = (
        Index("audit_by_subject", "source_id", "subject"),
        Index(
            "audit_deactivated",
            "source_id",
            "at",
            sqlite_where=text("action = 'deactivated'"),
            postgresql_where=text("action = 'deactivated'"),
        ),
    )
    id: int | None = Field(default=None, primary_key=True)
    at: datetime = Field(sa_type=Instant)
    actor: str
    action: str
    """``created``, ``deactivated``, ``reactivated``, ``renamed``, ``plan approved`` ..."""
    source_id: int | None = None
    subject: str = ""
    run_id: int | None = None
    publication: int | None = None
    approved: bool = False
    """Whether a person's word let it through: an approved plan or an override."""
    detail: str = Field(default="{}", sa_type=Text)
    """JSON: the source fact (a record's fingerprint), rule, reason and mapping version."""


class LeaseRow(SQLModel, table=True):
    """Who publishes. The epoch grows with every holder; a publication checks it."""

    __tablename__ = "lease"
    id: int = Field(default=1, primary_key=True)
    holder: str
    epoch: int
    process: str = ""
    """Which process that is, on whichever machine, for another one there to see whether it is
    gone; empty where that cannot be told."""


class HeartbeatRow(SQLModel, table=True):
    """Until when the lease of that epoch is good."""

    __tablename__ = "heartbeat"
    id: int = Field(default=1, primary_key=True)
    epoch: int
    expires_at: datetime = Field(sa_type=Instant)


class WatchRow(SQLModel, table=True):
    """What tells from outside whether a source is fresh; the sync role notes it."""

    __tablename__ = "watch"
    source_id: int = Field(primary_key=True)
    read_at: datetime | None = Field(default=None, sa_type=Instant)
    """When the last COMPLETE read began, of everything or of changes alone."""
    changes_seconds: int | None = None
    """How often the daemon asks for changes; None as long as none has scheduled the source."""
    full_by: datetime | None = Field(default=None, sa_type=Instant)
    """When the schedule wants the next read of everything after the last complete one."""
    certificate_ends: datetime | None = Field(default=None, sa_type=Instant)
    """When the certificate that the source's server showed last stops being good."""


class FaultyFileRow(SQLModel, table=True):
    """A mapping file that the daemon cannot use as it stands."""

    __tablename__ = "faulty_file"
    file: str = Field(primary_key=True)
    since: datetime = Field(sa_type=Instant)


class RefusalRow(SQLModel, table=True):
    """Credentials that a source refused, and when they may be tried again."""

    __tablename__ = "refusal"
    id: int | None = Field(default=None, primary_key=True)
    source_id: int
    tries: int
    """How many tries in a row were refused."""
    again_at: datetime = Field(sa_type=Instant)
    reason: str
    salt: bytes = Field(sa_type=LargeBinary)
    digest: bytes = Field(sa_type=LargeBinary)
    """What the refused settings, secrets included, come to with ``salt``: other ones may be
    tried at once."""


class RunTotalRow(SQLModel, table=True):
    """How many runs of a source ended with a verdict, and how long they took, since ever."""

    __tablename__ = "run_total"
    source_id: int = Field(primary_key=True)
    verdict: str = Field(primary_key=True)
    runs: int
    seconds: float


class TokenRow(SQLModel, table=True):
    """A bearer token of a SCIM client; only its SHA-256 is kept."""

    __tablename__ = "token"
    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(index=True)
    digest: bytes = Field(sa_type=LargeBinary, unique=True)
    hint: str
    """The token's first characters, to tell two apart."""
    created_at: datetime = Field(sa_type=Instant)
    expires_at: datetime | None = Field(default=None, sa_type=Instant)
    revoked_at: datetime | None = Field(default=None, sa_type=Instant)


def fold(name: str) -> str:
    """The form in which names are compared where case does not matter."""
    return name.casefold()


def table(row: type[SQLModel]) -> Table:
    """The Core table of a row class."""
    return row.metadata.tables[str(row.__tablename__)]
