"""How far a source's clock is from ours, who left the scope alone, and who may be a rehire."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.add_column("watch", sa.Column("skew_seconds", sa.Integer(), nullable=True))
    op.add_column(
        "record", sa.Column("outside", sa.Boolean(), nullable=False, server_default=sa.false())
    )
    rehired = sa.text("action = 'possible rehire'")
    op.create_index(
        "audit_possible_rehire", "audit", ["at"], sqlite_where=rehired, postgresql_where=rehired
    )
