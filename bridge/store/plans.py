"""Plans: changes that wait for a person's word.

    held --approve--> approved --every change published--> published
      |                  └-----24 hours unused-----------> lapsed
      ├--reject--> rejected --every change overtaken-----> lapsed
      |               └-----a first load's records change-> held
      └--every change overtaken--------------------------> lapsed

The hash covers the changes alone: who, which kind, to which target. A change that appears later
goes into a plan of its own, so that an approval never covers what its giver has not seen.
"""

from bridge.store.plan_changes import (
    APPROVED,
    CHANGES,
    EDIT,
    FIRST_LOAD,
    HELD,
    OPEN,
    PURPOSES,
    REJECTED,
    OpenChange,
    PlanChange,
    changes,
    digest,
    open_changes,
    outcomes,
    reword,
    size,
)
from bridge.store.plan_rows import (
    SHOWN,
    amend,
    by_id,
    create,
    drop,
    get,
    held_kinds,
    listing,
    split,
    told,
    untold,
)
from bridge.store.plan_states import (
    APPROVAL_LASTS,
    LAPSED,
    PUBLISHED,
    approve,
    close,
    lapse,
    overtake,
    reject,
    reopen,
    settle,
)

__all__ = [
    "APPROVAL_LASTS",
    "APPROVED",
    "CHANGES",
    "EDIT",
    "FIRST_LOAD",
    "HELD",
    "LAPSED",
    "OPEN",
    "PUBLISHED",
    "PURPOSES",
    "REJECTED",
    "SHOWN",
    "OpenChange",
    "PlanChange",
    "amend",
    "approve",
    "by_id",
    "changes",
    "close",
    "create",
    "digest",
    "drop",
    "get",
    "held_kinds",
    "lapse",
    "listing",
    "open_changes",
    "outcomes",
    "overtake",
    "reject",
    "reopen",
    "reword",
    "settle",
    "size",
    "split",
    "told",
    "untold",
]
