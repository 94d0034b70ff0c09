"""What most commands work on: the settings and the store."""

from __future__ import annotations

from bridge import settings
from bridge.cli.output import at_end
from bridge.settings import Settings
from bridge.store import Store


def context() -> tuple[Settings, Store]:
    """The settings and the opened store of this command."""
    loaded = settings.load()
    store = Store.open(loaded.database)
    at_end.callback(store.close)
    return loaded, store
