"""What lists are searched by: more indexes, and rows of values that have no column."""

from __future__ import annotations

import orjson
import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

_CHUNK = 1000
_ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"


def upgrade() -> None:
    op.create_index("users_by_active", "users", ["active"])
    op.create_index("users_by_publication", "users", ["publication"])
    op.create_index("users_by_place", "users", ["position", "publication"])
    op.create_index("membership_by_user", "membership", ["user_position"])
    op.create_index("publication_by_time", "publication", ["at", "number"])
    key = sa.String().with_variant(sa.String(collation="C"), "postgresql")
    lookup = op.create_table(
        "lookup",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("value", key, nullable=False),
        sa.Column("user_position", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("name", "value", "user_position"),
        sqlite_with_rowid=False,
    )
    _fill(op.get_bind(), lookup)


def _fill(c: sa.Connection, lookup: sa.Table) -> None:
    """Write the rows of the people who are served already."""
    users = sa.table("users", sa.column("position"), sa.column("document"))
    people = (
        sa.select(users.c.position, users.c.document)
        .where(users.c.position > sa.bindparam("last"))
        .order_by(users.c.position)
        .limit(_CHUNK)
    )
    last = 0
    while found := c.execute(people, {"last": last}).all():
        last = found[-1].position
        rows = {
            (name, value, row.position)
            for row in found
            for name, value in _values(orjson.loads(row.document))
        }
        if rows:
            columns = ("name", "value", "user_position")
            c.execute(sa.insert(lookup), [dict(zip(columns, row, strict=True)) for row in rows])


def _values(person: dict[str, object]) -> list[tuple[str, str]]:
    # As `bridge.store.user_rows` has them today: a migration must not change with the code.
    emails = person.get("emails")
    listed = [
        ("email", email["value"].casefold())
        for email in (emails if isinstance(emails, list) else ())
        if "value" in email and not email.get("primary")
    ]
    enterprise = person.get(_ENTERPRISE)
    number = enterprise.get("employeeNumber") if isinstance(enterprise, dict) else None
    return [*listed, ("employeeNumber", number.casefold())] if number else listed
