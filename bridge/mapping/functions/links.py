"""Links to other people. What a link answers is settled when everybody has been read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bridge import dn
from bridge.mapping.functions.directory import of_dn
from bridge.mapping.functions.registry import Group, Site
from bridge.mapping.values import Reference, text_of

GROUP = Group()

KNOWN_BY = ("dn", "key", "externalId", "userName")
WANTED = ("id", "userName", "displayName", "externalId")


@GROUP.made(2, 3, fixed=(1, 2), toll=0)
def ref(site: Site, by: str, want: str = "id") -> Callable[[Any], Reference | list[Reference]]:
    """An attribute of the person known by that name: `ref(name, by, want)`.

    `by` is `dn`, `key`, `externalId` or `userName`; `want` is `id` (the SCIM id, unless said
    otherwise), `userName`, `displayName` or `externalId`. It is the last step of a value. Spellings
    of one DN are the same; what is no DN is an error.

    >>> 'P1' | ref('externalId', 'userName')
    Reference('externalId', 'P1', 'userName')
    """
    if by not in KNOWN_BY:
        raise ValueError(f"people are known by {', '.join(KNOWN_BY)}")
    if want not in WANTED:
        raise ValueError(f"a link answers {', '.join(WANTED)}")

    def one(value: Any) -> Reference:
        name = text_of(value).strip()
        if by == "dn":
            name = of_dn(dn.normal, name)
        return Reference(by, name, want)

    def call(value: Any) -> Reference | list[Reference]:
        # Several are for the members of a group; no attribute of a person takes them.
        if isinstance(value, list) and len(value) > 1:
            return [one(item) for item in value]
        return one(value)

    return call
