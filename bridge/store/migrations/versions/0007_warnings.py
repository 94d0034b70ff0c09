"""What the webhook was told of, when passwords end, and whether a backup was put back."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.add_column("plan", sa.Column("told", sa.String(), nullable=False, server_default=""))
    op.add_column(
        "serving", sa.Column("restored", sa.Boolean(), nullable=False, server_default=sa.false())
    )
    op.add_column("watch", sa.Column("password_ends", sa.BigInteger(), nullable=True))
