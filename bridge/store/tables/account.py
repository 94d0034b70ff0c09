"""How it came about: runs, plans, words of people, and what keeps one process in charge."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index, LargeBinary, Text, text
from sqlmodel import Field, SQLModel

from bridge.store.tables.columns import KEY_ONLY, Instant, Key


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
    told: str = ""
    """The hash it had when the webhook was told of it last; empty where it never was."""


class PlanChangeRow(SQLModel, table=True):
    """One change of a plan: this person, this kind, to this target."""

    __tablename__ = "plan_change"
    __table_args__ = (Index("plan_change_by_subject", "source_id", "subject"), KEY_ONLY)
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


class ErasureRow(SQLModel, table=True):
    """A person of whom nothing is to be kept, until the source has the person again."""

    __tablename__ = "erasure"
    source_id: int = Field(primary_key=True)
    person_key: str = Field(primary_key=True, sa_type=Key)
    actor: str
    at: datetime = Field(sa_type=Instant)


class RelinkRow(SQLModel, table=True):
    """A key whose records are those of a person who had another one before."""

    __tablename__ = "relink"
    source_id: int = Field(primary_key=True)
    new_key: str = Field(primary_key=True, sa_type=Key)
    old_key: str = Field(sa_type=Key)
    actor: str
    at: datetime = Field(sa_type=Instant)


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
        Index(
            "audit_possible_rehire",
            "at",
            sqlite_where=text("action = 'possible rehire'"),
            postgresql_where=text("action = 'possible rehire'"),
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
    password_ends: datetime | None = Field(default=None, sa_type=Instant)
    """When the password ends by which the source was read last, where that is known."""
    skew_seconds: int | None = None
    """How far the source's clock was ahead of ours at that read, where it tells its time."""


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
