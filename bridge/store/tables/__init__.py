"""The tables of the store, one class each; the same on SQLite and PostgreSQL.

Two layers. *Records* (`RecordRow`, `DirectoryGroupRow`, `MemberRow`, the cookie in `SourceRow`,
`DueRow`) are what was read. *Resources* (`UserRow`, `GroupRow`, `MembershipRow`, `LookupRow`,
`LinkRow`, `SchemaRow`) are what Okta is served. A read moves only the first, a publication moves
the second, whole, in one transaction.

Instants are whole microseconds since 1970 (`Instant`): exact, ordered, the same everywhere.
Keys (`Key`) are ordered by code point, whatever the collation of a PostgreSQL database. Large
columns stand last in a row, so that reading the others does not walk through them.
"""

from __future__ import annotations

from bridge.store.tables.account import (
    AuditRow,
    ErasureRow,
    FaultyFileRow,
    HeartbeatRow,
    LeaseRow,
    OverrideRow,
    PlanChangeRow,
    PlanRow,
    RefusalRow,
    RelinkRow,
    RequestRow,
    RunRow,
    RunTotalRow,
    TokenRow,
    WatchRow,
)
from bridge.store.tables.columns import Instant, Key, fold, table
from bridge.store.tables.observed import (
    DirectoryGroupRow,
    DueRow,
    FormerRefRow,
    MemberRow,
    ProblemRow,
    RecordRow,
    SourceRow,
)
from bridge.store.tables.served import (
    GroupRow,
    LinkRow,
    LookupRow,
    MembershipRow,
    PublicationRow,
    SchemaRow,
    ServingRow,
    UserRow,
)

__all__ = [
    "AuditRow",
    "DirectoryGroupRow",
    "DueRow",
    "ErasureRow",
    "FaultyFileRow",
    "FormerRefRow",
    "GroupRow",
    "HeartbeatRow",
    "Instant",
    "Key",
    "LeaseRow",
    "LinkRow",
    "LookupRow",
    "MemberRow",
    "MembershipRow",
    "OverrideRow",
    "PlanChangeRow",
    "PlanRow",
    "ProblemRow",
    "PublicationRow",
    "RecordRow",
    "RefusalRow",
    "RelinkRow",
    "RequestRow",
    "RunRow",
    "RunTotalRow",
    "SchemaRow",
    "ServingRow",
    "SourceRow",
    "TokenRow",
    "UserRow",
    "WatchRow",
    "fold",
    "table",
]
