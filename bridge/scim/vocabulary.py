"""The attributes that a filter may name: those that ``/Schemas`` tells, and the common ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, NoReturn

import orjson
from scim2_models.path import AttrPath

from bridge.filter import Attribute
from bridge.model import GROUP_URN, USER_URN, Kind
from bridge.scim.errors import ScimError
from bridge.scim.schemas import COMMON, CORE_URN, Custom, Discovery

_Definitions = Mapping[str, Mapping[str, Any]]


class Vocabulary:
    """What the resources of one kind can be filtered by.

    With ``anywhere`` the attributes of the other kind are known too, as ones that nobody of this
    kind has (RFC 7644 section 3.4.2.1).
    """

    def __init__(self, kind: Kind, custom: Custom, anywhere: bool = False) -> None:
        self._kind = kind
        core = CORE_URN[kind]
        published = orjson.loads(Discovery("").documents(custom)["Schemas"])["Resources"]
        attributes = {one["id"]: one["attributes"] for one in published}
        own = {core} if kind is Kind.GROUP else attributes.keys() - {GROUP_URN}
        urns = attributes.keys() if anywhere else own
        foreign = [*attributes[USER_URN], *attributes[GROUP_URN]] if anywhere else []
        # By URN in lower case: where the attributes stand in a document, and which there are.
        self._schemas: dict[str, tuple[tuple[str, ...], _Definitions]] = {
            urn.lower(): ((urn,), _by_name(attributes[urn])) for urn in urns - {core}
        }
        self._schemas[core.lower()] = ((), _by_name([*foreign, *COMMON, *attributes[core]]))
        self._core = core.lower()

    def find(self, path: AttrPath) -> Attribute:
        """The attribute that a path names; where it names none, `ScimError` ``invalidFilter``."""
        urn = (path.uri or self._core).lower()
        if urn not in self._schemas:
            whole = self._schemas.get(str(path).lower())
            if whole is None or not whole[0]:
                self._unknown(path)
            return Attribute(whole[0], type="complex")
        head, definitions = self._schemas[urn]
        definition = definitions.get(path.attr.lower())
        if definition is None:
            self._unknown(path)
        return self._made(definition, path, (*head, definition["name"]))

    def within(self, attribute: Attribute, path: AttrPath) -> Attribute:
        """The sub-attribute that a path in ``attribute``'s brackets names."""
        *extension, name = attribute.head
        _, definitions = self._schemas[extension[0].lower() if extension else self._core]
        outer = definitions[name.lower()]
        if path.uri or path.sub_attr:
            self._unknown(path, outer["name"])
        if "subAttributes" not in outer and path.attr.lower() == "value":
            return Attribute((), type=attribute.type, exact=attribute.exact)
        inner = self._made(outer, AttrPath(outer["name"], path.attr), ())
        return Attribute((), inner.sub, type=inner.type, exact=inner.exact)

    def _made(
        self, definition: Mapping[str, Any], path: AttrPath, head: tuple[str, ...]
    ) -> Attribute:
        many, sub = definition.get("multiValued", False), ""
        if path.sub_attr:
            found = _by_name(definition.get("subAttributes", ())).get(path.sub_attr.lower())
            if found is None:
                self._unknown(path)
            definition, sub = found, found["name"]
        return Attribute(head, sub, many, definition["type"], definition.get("caseExact", False))

    def _unknown(self, path: AttrPath, outer: str = "") -> NoReturn:
        name = f"{outer}[{path}]" if outer else str(path)
        detail = f"{self._kind} resources have no attribute {name[:200]} to filter by."
        raise ScimError(400, detail, "invalidFilter")


def vocabulary(kind: Kind, custom: Custom, anywhere: bool = False) -> Vocabulary:
    """The vocabulary of a kind, made once for each set of custom schemas."""
    return _vocabulary(kind, orjson.dumps(dict(custom), option=orjson.OPT_SORT_KEYS), anywhere)


@lru_cache(maxsize=4)
def _vocabulary(kind: Kind, custom: bytes, anywhere: bool) -> Vocabulary:
    return Vocabulary(kind, orjson.loads(custom), anywhere)


def _by_name(definitions: Sequence[Mapping[str, Any]]) -> _Definitions:
    return {definition["name"].lower(): definition for definition in definitions}
