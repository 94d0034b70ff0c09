"""What other entries call a record, and called it before."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    named = sa.text("ref IS NOT NULL")
    op.create_index(
        "record_by_ref",
        "record",
        ["source_id", "ref"],
        sqlite_where=named,
        postgresql_where=named,
    )
    op.create_table(
        "former_ref",
        sa.Column("source_id", sa.Integer(), nullable=False),
        sa.Column("ref", sa.String(), nullable=False),
        sa.Column("record_id", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("source_id", "ref"),
        sqlite_with_rowid=False,
    )
    op.create_index("former_ref_of_record", "former_ref", ["record_id"])
