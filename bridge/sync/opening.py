"""Whether what is in the store may be served, before anything was and after a restore."""

from __future__ import annotations

from bridge.store import Publication, plans
from bridge.store import sources as source_rows
from bridge.sync.catalog import Catalog
from bridge.sync.change import DEACTIVATIONS


def everybody_is_loaded(publication: Publication, files: Catalog) -> bool:
    """Whether everybody's first load was approved, and of a restored store every source was read
    whole, or let go where its file is gone.

    Nobody may wait to go, and in a restored one nothing may wait at all: what Okta knows of people
    already would be taken back.
    """
    c = publication.connection
    rows = source_rows.all(c)
    if files.faults or any(row.active and not row.words for row in rows):
        return False
    loaded = {row.name for row in rows if row.loaded_at and row.words}
    waiting = plans.held_kinds(c)
    if not publication.is_restored():
        waiting.intersection_update(DEACTIVATIONS)
    return all(file.name in loaded for file in files) and not waiting
