"""What was read: sources, records, and who is to be looked at."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index, LargeBinary, Text, text
from sqlmodel import Field, SQLModel

from bridge.store.tables.columns import KEY_ONLY, Instant, Key


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
    """When it was read for the first time as it is."""
    gone_at: datetime | None = Field(default=None, sa_type=Instant)
    outside: bool = False
    """Whether a record that is gone is still in the source, but not where people are looked for."""
    attributes: bytes = Field(sa_type=LargeBinary)
    """JSON; a value of bytes is an object ``{"$bytes": base64}``."""


class FormerRefRow(SQLModel, table=True):
    """What a record was called before: it means that record until another one is called so."""

    __tablename__ = "former_ref"
    __table_args__ = (Index("former_ref_of_record", "record_id"), KEY_ONLY)
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
    __table_args__ = (Index("member_by_ref", "source_id", "by", "ref"), KEY_ONLY)
    record_id: int = Field(primary_key=True)
    by: str = Field(primary_key=True)
    ref: str = Field(primary_key=True, sa_type=Key)
    """As in `LinkRow`."""
    source_id: int


class DueRow(SQLModel, table=True):
    """A person the next decision must look at, from ``at`` on."""

    __tablename__ = "due"
    __table_args__ = (Index("due_by_time", "source_id", "at"), KEY_ONLY)
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
