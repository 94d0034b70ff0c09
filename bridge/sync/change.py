"""One person's change: what is served, what the source now says, and which limits that concerns.

Pure. A *draft* is what the live mapping makes of a person; its *kinds* name each way in which it
differs from what is served, as the ``limits:`` of a mapping file name them, with the target that
an approval would cover. `compose` gives what may be published while some kinds are held.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence, Set
from collections.abc import Mapping as Dict
from dataclasses import dataclass, field, replace
from datetime import datetime
from hashlib import blake2b

from bridge.mapping import Mapping
from bridge.model import Entry, GroupKey, Kind, Mapped, Resource, Served, resource_id
from bridge.store.tables import OverrideRow
from bridge.sync.emptied import emptied, restored
from bridge.sync.identity import erased_name, identities, is_nameless, is_protected

NEW = "new"
FIRST_LOAD = "first_load"
ABSENT = "absent"
DISABLED = "disabled"
EDITED = "edited"
PROTECTED = "protected"
REACTIVATED = "reactivated"
RENAMED = "renamed"
EMPTIED = "emptied"
MEMBERSHIPS = "memberships"
CLOCK = "clock"

UNMAPPED = "cannot be mapped"
"""The target of an edit by which nothing is known of somebody but the last good values."""

OVERRIDE = "override"
"""Not a kind, as no limit guards it: the cause of a flip that somebody asked for by name."""

DEACTIVATIONS = (DISABLED, EDITED, ABSENT)
"""Every way to become inactive that a limit guards, the one a source states itself first."""

_NAMELESS = (
    "is to be active, but the userName went to somebody else and the source says no other "
    "(give the person one there)"
)
GONE = "no longer in the source"
OUTSIDE = "left scope: still in the source, but not where `base` and `filter` look"
RELINKED = "goes on as somebody who was here before: bridge relink"
_BY_WORD = "override by "
LEAVING = frozenset({*DEACTIVATIONS, PROTECTED})
_FLIPS = LEAVING | {REACTIVATED, NEW, FIRST_LOAD, CLOCK}


@dataclass(frozen=True, slots=True)
class Draft:
    """What the mapping makes of one person, beside what is served.

    ``id`` is the SCIM id. ``after`` is None where there is nothing to serve: nobody was served and
    nobody is wanted. ``kinds`` maps each kind of change to its target. ``fact`` is a digest of the
    records, and ``forced`` says that somebody's word decided ``active``.
    """

    id: str
    key: str
    before: Served | None
    after: Resource | None
    groups: tuple[GroupKey, ...] = ()
    reason: str = ""
    rule: str = ""
    fact: str = ""
    faults: tuple[str, ...] = ()
    until: datetime | None = None
    forced: bool = False
    erased: bool = False
    """Whether nothing of the person is to be kept."""
    kinds: Dict[str, str] = field(default_factory=dict)

    @property
    def is_named_anew(self) -> bool:
        """Whether the person is to have a userName that is not the one served now."""
        before, after = self.before, self.after
        if after is None:
            return False
        return before is None or before.user_name != after.attributes["userName"]

    @property
    def cause(self) -> str:
        """The kind of change that flips ``active``, or `OVERRIDE`."""
        if self.forced and self.before is not None:
            return OVERRIDE
        return next((kind for kind in self.kinds if kind in _FLIPS), OVERRIDE)

    def weight(self, kind: str) -> int:
        """How much one person's change of this kind counts: memberships each, all else once."""
        return len(self.memberships) if kind == MEMBERSHIPS else 1

    @property
    def memberships(self) -> list[str]:
        """The keys of the groups that the person leaves, where that is a change of its own."""
        return self.kinds[MEMBERSHIPS].split("\n")


def mapped(
    entries: Sequence[Entry],
    before: Served | None,
    mapping: Mapping,
    now: datetime,
    absent: str = GONE,
) -> Mapped:
    """What ``mapping`` makes of a person's records at ``now``; no records: the person is absent,
    and ``absent`` says why."""
    if not entries:
        return Mapped(skipped=absent)
    return mapping.person(entries, now, before)


def draft(
    key: str,
    entries: Sequence[Entry],
    before: Served | None,
    mapping: Mapping,
    mapped: Mapped,
    override: OverrideRow | None = None,
    erased: bool = False,
    relinked: bool = False,
) -> Draft:
    """The change that ``mapped``, which ``mapping`` made of a person's records, comes to.

    Of somebody ``erased`` whom the source does not have nothing is left but the place. Who is
    ``relinked`` becomes active or inactive by the word that moved the record.
    """
    erased = erased and not entries and before is not None
    override = None if erased else override
    fact = blake2b(b"".join(entry.fingerprint for entry in entries), digest_size=8).hexdigest()
    after, groups = mapped.resource, mapped.groups
    reason, cause = mapped.reason, ABSENT if mapped.absent else DISABLED
    if mapped.faults and before is not None:
        # Last good values, last state; but what the rules say for certain still goes through.
        after, groups = _as_served(before), _groups(before)
        if mapped.active is False:
            after = _with_active(after, False)
        elif not is_by_word(before.reason):
            reason = before.reason
    elif mapped.skipped and before is not None:
        after, groups = _with_active(_as_served(before), False), ()
        cause = ABSENT
        reason = f"left scope: {mapped.skipped}" if entries else mapped.skipped
        if not before.active and not is_by_word(before.reason):
            reason = before.reason
        if erased:
            after = Resource(Kind.USER, {"userName": erased_name(before.id), "active": False})
            reason = "erased"
    until, faults = mapped.until, mapped.faults
    if override is not None and after is not None:
        nameless = before is not None and is_nameless(before.id, after.attributes["userName"])
        after = _with_active(after, override.active and not nameless)
        if override.active and nameless:
            faults += (_NAMELESS,)
        reason = f"{_BY_WORD}{override.actor}: {override.reason}"
        until = _earliest(until, override.until)
    kinds: dict[str, str] = {}
    if after is not None:
        kinds = _kinds(before, after, groups, cause)
    if before is not None:
        if erased:
            kinds = {}  # the word was given when nobody had the person any more
        elif override is not None or relinked:
            kinds = {kind: target for kind, target in kinds.items() if kind not in _FLIPS}
        elif cause in kinds and is_protected(before, mapping.protect):
            kinds[PROTECTED] = kinds.pop(cause)
    return Draft(
        id=before.id if before else resource_id(Kind.USER, mapping.name, key),
        key=key,
        before=before,
        after=after,
        groups=groups,
        reason=reason,
        rule=mapped.rule,
        fact=fact,
        faults=faults,
        until=until,
        forced=override is not None or relinked,
        erased=erased,
        kinds=kinds,
    )


def because_of_edit(new: Draft, old: Draft) -> Draft:
    """``new`` with the kinds that ``old``, the live mapping's draft, does not have as *edited*;
    also where somebody active can no longer be mapped."""
    kinds = dict(new.kinds)
    edited = [kind for kind in (*DEACTIVATIONS, RENAMED) if kind in kinds.keys() - old.kinds.keys()]
    targets = [kinds.pop(kind) for kind in edited]
    if new.before is not None and new.before.active and new.faults and not old.faults:
        targets.append(UNMAPPED)
    if targets:
        kinds[EDITED] = "\n".join(targets)
    return replace(new, kinds=kinds)


def as_first_load(new: Draft) -> Draft:
    """``new`` as part of a first load, which is approved as a whole."""
    if new.after is None:
        return new
    target = "active" if new.after.attributes["active"] else "inactive"
    return replace(new, kinds={FIRST_LOAD: target})


def compose(new: Draft, held: Set[str]) -> tuple[Resource | None, tuple[GroupKey, ...]]:
    """What may be published of a draft while the kinds in ``held`` wait, with its groups."""
    before, after, groups = new.before, new.after, new.groups
    if after is None or not held:
        return after, groups
    if before is None:
        return None, ()
    if CLOCK in held:
        # All of it waits, but somebody who is inactive by both clocks.
        leaves = not (new.kinds.keys() & LEAVING) <= held
        return _with_active(_as_served(before), before.active and not leaves), _groups(before)
    attributes = dict(after.attributes)
    links = after.links
    for kind in held:
        if kind in _FLIPS:
            attributes["active"] = before.active
        elif kind == RENAMED:
            attributes["userName"] = before.user_name
        elif kind.startswith(EMPTIED):
            path = tuple(kind.removeprefix(EMPTIED + ":").rsplit("/", 1))
            attributes = restored(attributes, before.attributes, path)
            links += tuple(link for link in before.links if link.path[: len(path)] == path)
    if held & {MEMBERSHIPS, *LEAVING}:  # whoever may not leave stays in the groups as well
        kept = before.groups - {group.key for group in groups}
        groups += tuple(GroupKey(key, "") for key in sorted(kept))
    return Resource(after.kind, attributes, links), groups


def names_that_moved(new: Draft) -> Iterator[tuple[str, str]]:
    """The names under which links may find this person, where an answer may now differ."""
    before = new.before.attributes if new.before is not None else None
    after = new.after.attributes if new.after is not None else None
    if before is not None and after is not None:
        without = {name: value for name, value in before.items() if name != "active"}
        if without == {name: value for name, value in after.items() if name != "active"}:
            return
    for attributes in (before, after):
        if attributes is not None:
            yield from identities(new.key, attributes)


def _kinds(
    before: Served | None, after: Resource, groups: tuple[GroupKey, ...], cause: str
) -> dict[str, str]:
    active = bool(after.attributes["active"])
    if before is None:
        return {NEW: "active" if active else "inactive"}
    kinds = {}
    if before.active and not active:
        kinds[cause] = "inactive"
    elif active and not before.active:
        kinds[REACTIVATED if before.ever_active else NEW] = "active"
    if not (before.active or active):
        return kinds  # Okta sees neither: nothing more to guard
    user_name = after.attributes["userName"]
    if user_name != before.user_name and not is_nameless(before.id, before.user_name):
        kinds[RENAMED] = user_name
    for path in emptied(before.attributes, after):
        kinds[f"{EMPTIED}:{'/'.join(path)}"] = ""
    if active and (removed := before.groups - {group.key for group in groups}):
        kinds[MEMBERSHIPS] = "\n".join(sorted(removed))
    return kinds


def is_by_word(reason: str) -> bool:
    """Whether somebody is as they are by an override, which may have ended or been given anew."""
    return reason.startswith(_BY_WORD)


def _as_served(before: Served) -> Resource:
    return Resource(Kind.USER, before.attributes, before.links)


def _groups(before: Served) -> tuple[GroupKey, ...]:
    return tuple(GroupKey(key, "") for key in sorted(before.groups))


def _with_active(resource: Resource, active: bool) -> Resource:
    return Resource(resource.kind, {**resource.attributes, "active": active}, resource.links)


def _earliest(*moments: datetime | None) -> datetime | None:
    return min((moment for moment in moments if moment is not None), default=None)
