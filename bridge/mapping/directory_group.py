"""Groups of a directory, compiled: from the entry of one to its key, name and direct members."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bridge.errors import EntryFault
from bridge.mapping.frames import Frames, located
from bridge.mapping.render import finisher
from bridge.mapping.scope import Expression
from bridge.mapping.values import Reference, listed
from bridge.model import Entry, GroupMapped, GroupSearch, Link

_text = finisher("string", None, None)


@dataclass(frozen=True, slots=True)
class DirectoryGroup:
    """One search for groups, and what each entry that it finds becomes."""

    label: str
    search: GroupSearch
    flatten: bool
    frames: Frames
    key: Expression
    display_name: Expression
    members: Expression

    @property
    def signature(self) -> tuple[str, str]:
        """What is worked out of a group when it is read: edited, every group is read anew."""
        return self.key.normal, self.members.normal

    def mapped(self, entry: Entry) -> GroupMapped:
        """The group that an entry is; no members is a group without any, not a fault."""
        frame = self.frames.frame(entry, None)
        faults: list[str] = []
        texts: list[str] = []
        for name, expression in (("key", self.key), ("displayName", self.display_name)):
            try:
                value = expression.code(frame)
                text = None if value is None else _text(value)
                if text is None:
                    raise EntryFault("is absent")
                texts.append(text)
            except EntryFault as fault:
                texts.append("")
                faults.append(str(located(f"{self.label}: {name}", expression, fault)))
        members: Sequence[Reference] = ()
        try:
            found = self.members.code(frame)
            members = () if found is None else listed(found)
        except EntryFault as fault:
            texts[0] = ""
            faults.append(str(located(f"{self.label}: members", self.members, fault)))
        key, name = texts
        if not key:
            return GroupMapped(faults=tuple(faults))
        links = dict.fromkeys(entry.named(Link((), each.by, each.ref)) for each in members)
        return GroupMapped(key, name, tuple(links), tuple(faults))
