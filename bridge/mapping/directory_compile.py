"""From the text of a directory's groups to what makes groups of their entries."""

from __future__ import annotations

import ast

from bridge.mapping.directory_group import DirectoryGroup
from bridge.mapping.document import Document
from bridge.mapping.expression import compile_expression
from bridge.mapping.faults import Faults
from bridge.mapping.frames import Frames
from bridge.mapping.functions.registry import Site
from bridge.mapping.group_texts import DirectoryGroupText
from bridge.mapping.scope import Expression, Scope
from bridge.mapping.source_section import SourceModel
from bridge.model import GroupSearch


class DirectoryCompiler:
    """Compiles the groups of a directory: names in them are attributes of the group's entry."""

    def __init__(self, document: Document, settings: SourceModel | None, faults: Faults) -> None:
        self._document = document
        self._settings = settings
        own = settings.own_names() if settings else frozenset()
        self._own = frozenset(name.casefold() for name in own)
        self._faults = faults

    def compiled(self) -> tuple[DirectoryGroup, ...]:
        found = (self._group(text) for text in self._document.groups.directory)
        return tuple(group for group in found if group is not None)

    def _group(self, text: DirectoryGroupText) -> DirectoryGroup | None:
        document, faults = self._document, self._faults
        if not self._own and document.source:
            faults.add(text.base.place, "this type of source has no groups of its own",
                       "a group worked out from people has key and displayName alone")  # fmt: skip
        scope = Scope(Site(document.timezone, document.lookups), None)
        key = compile_expression(text.key, scope, faults)
        name = compile_expression(text.display_name, scope, faults)
        members = compile_expression(text.members, scope, faults, links=True)
        if key is None or name is None or members is None:
            return None
        spelled: dict[str, str] = {}
        vars_ = {var.text.casefold() for var, _ in document.vars}
        for expression in (key, name, members):
            if expression.clock:
                faults.add(expression.place, "a group may not depend on now or today")
            for attribute in expression.attributes:
                spelled.setdefault(attribute.casefold(), attribute)
                if attribute.casefold() in vars_:
                    faults.add(expression.place, f"{attribute!r} is worked out from a person",
                               "names here are attributes of the group's entry")  # fmt: skip
        if not key.attributes:
            faults.add(text.key.place, "key reads no attribute: all groups would be one")
        if not _ends_in_ref(members):
            faults.add(text.members.place, "members end in ref", "such as: member | ref('dn')")
        places = tuple((spelled[fold], place) for fold, place in scope.places.items())
        asked = frozenset(name for fold, name in spelled.items() if fold not in self._own)
        if self._settings and (fault := self._settings.filter_fault(text.filter.text)):
            faults.add(text.filter.place, f"{text.label}: filter {fault}")
        return DirectoryGroup(
            text.label, GroupSearch(text.base.text, text.filter.text, asked), text.flatten,
            Frames(scope.size, scope.site.zone, spelled, frozenset(spelled.values()), places, (),
                   ()),
            key, name, members,
        )  # fmt: skip


def _ends_in_ref(expression: Expression) -> bool:
    match ast.parse(expression.normal, mode="eval").body:
        case ast.Call(func=ast.Name(id="ref")):
            return True
        case ast.BinOp(op=ast.BitOr(), right=ast.Call(func=ast.Name(id="ref"))):
            return True
    return False
