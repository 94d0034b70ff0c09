"""The store: records that were read, resources that are served, and how it came about.

`Store` gives connections. Everything else is modules of functions whose first parameter is such
a connection, so that several of them share a transaction. `Publication` is what a decision writes
through. What the web role reads through, `pages.Pages`, is imported by itself: few commands need
it, and it brings PostgreSQL's driver.
"""

from bridge.store.database import Store
from bridge.store.publication import Publication, UserWrite

__all__ = ["Publication", "Store", "UserWrite"]
