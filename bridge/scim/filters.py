"""A ``filter`` as the one comparison that a page can be looked up by.

The grammar is RFC 7644 section 3.4.2.2, read by scim2-models. What cannot be looked up is refused:
a filter that is not understood must never answer with everybody.
"""

from __future__ import annotations

from collections.abc import Iterable

from scim2_models import InvalidFilterException, ScimFilter
from scim2_models.path import CompareOperator, Comparison

from bridge.model import GROUP_URN, USER_URN, Kind
from bridge.scim.errors import ScimError

MAX_LENGTH = 4096

_CORE_URN = {Kind.USER: USER_URN, Kind.GROUP: GROUP_URN}
_ATTRIBUTES = {
    Kind.USER: {name.lower(): name for name in ("userName", "externalId", "id")},
    Kind.GROUP: {name.lower(): name for name in ("displayName", "externalId", "id")},
}


def parse(kind: Kind, text: str) -> tuple[str, str]:
    """The attribute, under its own name, and the value that ``text`` asks it to equal.

    Raises `ScimError` 400 ``invalidFilter`` for everything else.
    """
    if len(text) > MAX_LENGTH:
        raise _refused(f"the filter is longer than {MAX_LENGTH} characters")
    try:
        node = ScimFilter(text).ast
    except InvalidFilterException:
        raise _refused("the filter is not one that RFC 7644 section 3.4.2.2 describes") from None
    names = _ATTRIBUTES[kind]
    if not isinstance(node, Comparison) or node.op != CompareOperator.eq:
        raise _refused(f'only ATTRIBUTE eq "VALUE" is supported, with {_listed(names.values())}')
    path = node.attr_path
    name = names.get(path.attr.lower())
    urn = (path.uri or _CORE_URN[kind]).lower()
    if name is None or path.sub_attr or urn != _CORE_URN[kind].lower():
        raise _refused(f"{kind} resources can be filtered by {_listed(names.values())}")
    if not isinstance(node.value, str):
        raise _refused(f"{name} is compared with a text in double quotes")
    return name, node.value


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names)


def _refused(detail: str) -> ScimError:
    return ScimError(400, detail, "invalidFilter")
