"""Alembic's entry: migrates the connection that `bridge.store.migrate` hands over."""

from alembic import context
from sqlmodel import SQLModel

import bridge.store.tables  # noqa: F401

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=SQLModel.metadata,
    transactional_ddl=True,
)
context.run_migrations()
