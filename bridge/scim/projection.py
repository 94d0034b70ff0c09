"""``attributes`` and ``excludedAttributes``: how much of a resource is answered.

RFC 7644 sections 3.4.2.5 and 3.9, names as in section 3.10. ``schemas`` and ``id`` are always
answered (RFC 7643 section 7, ``returned``). A name that nothing has changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import orjson

from bridge.model import Kind
from bridge.scim.errors import ScimError
from bridge.scim.schemas import CORE_URN, core_names

_ALWAYS = frozenset(("schemas", "id"))
_ANY_EXTENSION = ""

_Names = dict[str, set[str]]
"""Names in lower case, each with the sub-attributes that are meant; none of them means all."""


def parse(kind: Kind, given: Mapping[str, str]) -> Projection | None:
    """What the parameters of a request ask for, None for everything.

    Raises `ScimError` 400 where they ask for both ways at once.
    """
    attributes, excluded = (
        [path for each in given.get(name, "").split(",") if (path := each.strip().lower())]
        for name in ("attributes", "excludedattributes")
    )
    if attributes and excluded:
        detail = "attributes and excludedAttributes exclude each other: give one of them."
        raise ScimError(400, detail, "invalidSyntax")
    if attributes or excluded:
        return Projection(kind, attributes or excluded, bool(excluded))
    return None


class Projection:
    """The attributes of a kind that ``paths`` name, or with ``excluded`` all but those.

    ``paths`` are in lower case. A name without a URN means the core schema's attribute or, where
    it has none of that name, an extension's.
    """

    def __init__(self, kind: Kind, paths: Iterable[str], excluded: bool) -> None:
        self._excluded = excluded
        self._core = CORE_URN[kind].lower()
        self._whole: set[str] = set()
        self._named: dict[str, _Names] = {self._core: {}, _ANY_EXTENSION: {}}
        for path in paths:
            if path.startswith("urn:"):
                self._whole.add(path)  # it may be a schema's own
                urn, _, path = path.rpartition(":")
            else:
                is_core = path.partition(".")[0] in core_names(kind)
                urn = self._core if is_core else _ANY_EXTENSION
            _add(self._named.setdefault(urn, {}), path)

    def wants(self, name: str) -> bool:
        """Whether anything of a core attribute is answered."""
        if self._core in self._whole:
            return not self._excluded
        subs = self._named[self._core].get(name)
        return bool(subs) or (subs is None) is self._excluded

    def of(self, resource: bytes) -> bytes:
        """What is answered of a resource; both are JSON."""
        core: dict[str, Any] = {}
        extensions: dict[str, Any] = {}
        for name, value in orjson.loads(resource).items():
            (extensions if name.startswith("urn:") else core)[name] = value
        always = {name: core.pop(name) for name in _ALWAYS}
        kept = {urn: self._part(urn.lower(), values) for urn, values in extensions.items()}
        kept = {urn: values for urn, values in kept.items() if values}
        # RFC 7643 section 2: ``schemas`` are those of what is there.
        urns = [urn for urn in always["schemas"] if urn not in extensions or urn in kept]
        return orjson.dumps(
            {"schemas": urns, "id": always["id"], **self._part(self._core, core), **kept}
        )

    def _part(self, urn: str, values: dict[str, Any]) -> dict[str, Any]:
        if urn in self._whole:
            return {} if self._excluded else values
        names = self._named.get(urn, {})
        if urn != self._core:
            names = self._named[_ANY_EXTENSION] | names
        part = {}
        for name, value in values.items():
            subs = names.get(name.lower())
            if subs:
                value = self._sub(value, subs)
                if value not in (None, {}, []):
                    part[name] = value
            elif (subs is None) is self._excluded:
                part[name] = value
        return part

    def _sub(self, value: Any, subs: set[str]) -> Any:
        match value:
            case dict():
                return {k: v for k, v in value.items() if (k.lower() in subs) != self._excluded}
            case list():
                return [part for each in value if (part := self._sub(each, subs))]
        return value if self._excluded else None


def _add(names: _Names, path: str) -> None:
    name, _, sub = path.partition(".")
    known = names.setdefault(name, {sub})
    if not sub or "" in known:
        known.clear()
    elif known:
        known.add(sub)
