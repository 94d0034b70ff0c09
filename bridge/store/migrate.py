"""Bringing a store's tables to what this code needs."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, inspect, text

from bridge.errors import StorageError

REVISION = "0008"
"""The newest revision under ``migrations/versions``."""

_FOLDER = Path(__file__).parent / "migrations"
# Any number will do, as long as no other program on the same database takes it.
_LOCK = 0x62726964


def current(c: Connection) -> str | None:
    """The revision a store has; None where it has no tables yet."""
    if not inspect(c).has_table("alembic_version"):
        return None
    return c.execute(text("SELECT version_num FROM alembic_version")).scalar()


def one_at_a_time(c: Connection) -> None:
    """Keep other processes from making tables until the transaction ends; SQLite does so itself."""
    if c.dialect.name == "postgresql":
        c.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})


def upgrade(c: Connection) -> None:
    """Bring the tables up to `REVISION`, in the transaction given, one process at a time.

    Raises `StorageError` where a newer bridge has been at this store.
    """
    one_at_a_time(c)
    if (found := current(c)) == REVISION:
        return
    # Imported here, because it takes longer than opening a store that is up to date.
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(_FOLDER).replace("%", "%%"))
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if found is not None and found not in known:
        raise StorageError("the store was written by a newer bridge: upgrade the bridge")
    config.attributes["connection"] = c
    command.upgrade(config, "head")
