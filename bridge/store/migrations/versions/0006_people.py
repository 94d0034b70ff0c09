"""Words on people: of whom nothing is to be kept, and who goes on under an old key."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    key = sa.String().with_variant(sa.String(collation="C"), "postgresql")
    op.create_table(
        "erasure",
        sa.Column("source_id", sa.Integer(), nullable=False),
        sa.Column("person_key", key, nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("source_id", "person_key"),
    )
    op.create_table(
        "relink",
        sa.Column("source_id", sa.Integer(), nullable=False),
        sa.Column("new_key", key, nullable=False),
        sa.Column("old_key", key, nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("source_id", "new_key"),
    )
