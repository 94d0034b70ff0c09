"""What Okta is served."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index, LargeBinary
from sqlmodel import Field, SQLModel

from bridge.store.tables.columns import KEY_ONLY, Instant, Key


class UserRow(SQLModel, table=True):
    """A person Okta is served; the row and its position are never removed."""

    __tablename__ = "users"
    __table_args__ = (
        Index("users_by_key", "source_id", "key", unique=True),
        Index("users_by_name", "name_fold"),
        Index("users_by_external_id", "external_id"),
        Index("users_by_email", "email_fold"),
        Index("users_by_active", "active"),
        Index("users_by_publication", "publication"),
        # Tells whether a page changed without reading it.
        Index("users_by_place", "position", "publication"),
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
    __table_args__ = (Index("membership_by_user", "user_position"), KEY_ONLY)
    group_position: int = Field(primary_key=True)
    user_position: int = Field(primary_key=True)


class LookupRow(SQLModel, table=True):
    """A value of a person that is looked up, beside the columns of `UserRow`."""

    __tablename__ = "lookup"
    __table_args__ = (KEY_ONLY,)
    name: str = Field(primary_key=True)
    """``email`` of each but the primary one, or ``employeeNumber``."""
    value: str = Field(primary_key=True, sa_type=Key)
    """Folded."""
    user_position: int = Field(primary_key=True)


class LinkRow(SQLModel, table=True):
    """Who refers to whom: found by the name that is referred to."""

    __tablename__ = "link"
    __table_args__ = (KEY_ONLY,)
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
    __table_args__ = (Index("publication_by_time", "at", "number"),)
    number: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    at: datetime = Field(sa_type=Instant)
    run_id: int


class ServingRow(SQLModel, table=True):
    """One row from the day on which everybody's first load was approved; before it, 503."""

    __tablename__ = "serving"
    id: int = Field(default=1, primary_key=True)
    since: datetime = Field(sa_type=Instant)
    restored: bool = False
    """Whether it is a backup's, of which nothing is served before everything was decided on."""
