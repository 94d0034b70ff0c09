"""The groups of a directory, and whom each names as its members."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    key = sa.String().with_variant(sa.String(collation="C"), "postgresql")
    op.create_table(
        "directory_group",
        sa.Column("record_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("source_id", sa.Integer(), nullable=False),
        sa.Column("section", sa.Integer(), nullable=False),
        sa.Column("key", key, nullable=True),
        sa.Column("mark", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("record_id"),
    )
    op.create_index("directory_group_by_key", "directory_group", ["source_id", "key"])
    unseen = sa.text("mark IS NOT NULL")
    op.create_index(
        "directory_group_news",
        "directory_group",
        ["source_id", "mark"],
        sqlite_where=unseen,
        postgresql_where=unseen,
    )
    op.create_table(
        "member",
        sa.Column("record_id", sa.Integer(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("ref", key, nullable=False),
        sa.Column("source_id", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("record_id", "by", "ref"),
        sqlite_with_rowid=False,
    )
    op.create_index("member_by_ref", "member", ["source_id", "by", "ref"])
