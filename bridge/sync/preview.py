"""What the files on disk would make of the records: the decision of a real run, not published."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Set
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from bridge.errors import FileFaults, UsageError
from bridge.mapping import Mapping as FileMapping
from bridge.mapping.explanation import SENSITIVE
from bridge.model import ENTERPRISE_URN, Served
from bridge.store import Store, plans, records
from bridge.store import sources as source_rows
from bridge.store.tables import PlanRow, SourceRow
from bridge.sync import catalog, clocks, why
from bridge.sync.decide import decide
from bridge.sync.decision import Deciding, Decision, Progress, served_as
from bridge.sync.garbage import rarely_collected
from bridge.sync.group_names import GroupNames, Renamed
from bridge.sync.plan import speaking
from bridge.sync.proposal import Proposal
from bridge.sync.spool import Spool
from bridge.sync.words import words_of

_WAITS = "user.userName is taken by somebody else"
_NO_RUN = 0
_TELL = 500


@dataclass(frozen=True, slots=True)
class Difference:
    """One attribute, named as in ``expect`` of a file's tests; None is absent."""

    name: str
    before: Any
    after: Any


@dataclass(frozen=True, slots=True)
class Changed:
    """What would become of one person.

    ``before`` and ``active`` say whether they are active, None where they are not served.
    ``kinds`` are the kinds of change, ``waiting`` those of them that wait in a plan already.
    """

    key: str
    user_name: str
    before: bool | None
    active: bool | None
    reason: str
    rule: str
    kinds: tuple[str, ...]
    waiting: tuple[str, ...]
    differences: tuple[Difference, ...]
    faults: tuple[str, ...]
    until: datetime | None
    values: Mapping[str, Any]
    """Everything that would be served."""

    @property
    def flips(self) -> bool:
        """Whether the person becomes active or inactive, newcomers included."""
        return self.active is not None and self.active != self.before


@dataclass(slots=True)
class Preview:
    """What a run on these files would come to, if nothing were held.

    ``purpose`` is that of the plan it would be; ``held`` are the kinds of change above their
    limits, beside what waits in plans already. With ``reread``, a run would first read everything
    anew; ``unread`` are the attributes that the records lack until then. ``people`` are the first
    who ``changed`` or have faults, or whoever was asked for. ``renamed`` are groups that keep
    their key.
    """

    source: str
    file: str
    purpose: str
    reread: bool = False
    unread: tuple[str, ...] = ()
    looked_at: int = 0
    changed: int = 0
    newcomers: int = 0
    kinds: Counter[str] = field(default_factory=Counter)
    held: frozenset[str] = frozenset()
    attributes: Counter[str] = field(default_factory=Counter)
    deactivated: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    people: list[Changed] = field(default_factory=list)
    renamed: list[Renamed] = field(default_factory=list)


def preview(
    store: Store,
    folder: Path,
    name: str,
    now: datetime,
    progress: Progress,
    person: str = "",
    limit: int = 50,
) -> Preview:
    """Decide on the records with the file of the source called ``name``; nothing is written.

    With ``person``, any name of somebody, only on theirs: then nothing is held, since limits
    judge everybody's changes. Raises `FileFaults` where the file is faulty or its key was edited,
    `UsageError` where nothing was ever read or nobody is meant.
    """
    with store.read() as connection:
        mapping = catalog.load(folder, source_rows.all(connection)).require(name)
        row = source_rows.get(connection, name)
        if row is None or row.id is None or not records.people(connection, row.id, "", 1):
            raise UsageError(
                f"nothing of {name} was read yet: bridge sync {name} reads it, and holds a first "
                "load until you approve it"
            )
        keys = _keys(connection, row, person)
        live = catalog.compile(row.mapping_text, row.file) if row.mapping_text else None
        edited = live if live is not None and live.text != mapping.text else None
        if edited is not None and edited.key_signature != mapping.key_signature:
            raise FileFaults([catalog.key_edited(mapping)])
        purpose = plans.EDIT if edited else plans.CHANGES if live else plans.FIRST_LOAD
        opened = _opened(connection, row.id, purpose, mapping.text)
        skew = clocks.noted_skew(connection, row.id)
    found = Preview(name, mapping.file, purpose, reread=row.words != words_of(mapping))
    if found.reread and live is not None:
        found.unread = tuple(sorted(_used(mapping) - _read(live), key=str.casefold))
    hidden = frozenset().union(*(_sensitive(each) for each in (mapping, live) if each is not None))
    deciding = Deciding(
        store=store,
        source=row,
        mapping=mapping,
        run_id=_NO_RUN,
        actor="preview",
        now=now,
        progress=progress,
        edited=edited,
        everyone=True,
        plan=opened,
        theirs=clocks.theirs(now, skew),
        keys=keys,
        preview=True,
    )
    whole = keys is not None
    with rarely_collected(), Spool[Proposal]() as spool:
        decision = decide(deciding, spool)
        found.held = frozenset() if whole else decision.above
        called = GroupNames(store, deciding.source_id, decision.groups.names)
        for proposal in decision.proposals():
            found.looked_at += 1
            _add(found, _changed(decision, proposal, called, hidden, whole), limit, whole)
            if not found.looked_at % _TELL:
                progress("compare", found.looked_at)
        found.renamed = called.renamed()
    return found


def _keys(connection: Connection, row: SourceRow, person: str) -> tuple[str, ...] | None:
    if not person:
        return None
    meant = why.find(connection, person)
    if meant.source.id != row.id:
        raise UsageError(f"{person!r} is somebody of {meant.source.name}, not of {row.name}")
    return (meant.key,)


def _opened(connection: Connection, source_id: int, purpose: str, text: str) -> PlanRow | None:
    listed = plans.listing(connection, source_id, plans.OPEN, purpose=purpose)
    return speaking([plan for plan in listed if plan.mapping_text == text])


def _used(mapping: FileMapping) -> Set[str]:
    return {name for name, _ in mapping.program.frames.attributes} - {"dn"}


def _read(live: FileMapping) -> Set[str]:
    """The attributes that records read for the live mapping may have."""
    return live.wanted.attributes if live.source_model.asked else live.program.frames.known


def _sensitive(mapping: FileMapping) -> Set[str]:
    targets = (each.target for each in mapping.program.attributes.targets())
    return {each.label.removeprefix("user.") for each in targets if each.options.sensitive}


# -- one person ------------------------------------------------------------------------------------


def _changed(
    decision: Decision, proposal: Proposal, called: GroupNames, hidden: Set[str], whole: bool
) -> Changed:
    """What becomes of a person; with ``whole``, their unchanged values too."""
    new = proposal.draft
    resource, groups = proposal.final(decision.held)
    attributes = served_as(decision, proposal)
    before, after = _attributes(new.before), _attributes(None)
    if resource is not None and attributes is not None:
        after = decision.answers.fill(attributes, resource.links)
        called.learn(groups)
        after["groups"] = sorted(group.key for group in groups)
    differing = [name for name in {**before, **after} if before.get(name) != after.get(name)]
    for each in (before, after) if whole or "groups" in differing else ():
        if "groups" in each:
            each["groups"] = called.of(each["groups"])
    was, then = (
        flat({name: each[name] for name in differing if name in each}) for each in (before, after)
    )
    waits = new.id in decision.contest.names.waiting
    return Changed(
        key=new.key,
        user_name=str(before.get("userName") or after.get("userName") or new.key),
        before=before.get("active"),
        active=after.get("active"),
        reason=new.reason,
        rule=new.rule,
        kinds=tuple(sorted(proposal.fresh | proposal.approved.keys())),
        waiting=tuple(
            sorted(kind for kind, each in proposal.approved.items() if each.state != plans.APPROVED)
        ),
        differences=tuple(
            Difference(name, *(_shown(name, each.get(name), hidden) for each in (was, then)))
            for name in {**was, **then}
            if name != "active" and was.get(name) != then.get(name)
        ),
        faults=(*new.faults, *([_WAITS] if waits else [])),
        until=new.until,
        values={name: _shown(name, value, hidden) for name, value in flat(after).items()}
        if whole
        else {},
    )


def _attributes(before: Served | None) -> dict[str, Any]:
    """What somebody is served with, groups included."""
    return {} if before is None else {**before.attributes, "groups": sorted(before.groups)}


def _shown(name: str, value: Any, hidden: Set[str]) -> Any:
    return SENSITIVE if value is not None and name in hidden else value


def _add(found: Preview, person: Changed, limit: int, whoever: bool) -> None:
    if person.flips or person.differences:
        found.changed += 1
        if person.before is None:
            found.newcomers += 1
        else:
            found.attributes.update(difference.name for difference in person.differences)
        if person.flips and person.active is False:
            found.deactivated[person.reason] += 1
    elif not person.faults and not whoever:
        return
    found.kinds.update(person.kinds)
    found.faults.update(person.faults)
    if len(found.people) < limit:
        found.people.append(person)


def flat(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """The attributes of a resource by the names that ``expect`` of a file's tests has for them."""
    found: dict[str, Any] = {}
    for name, value in attributes.items():
        section = "enterprise" if name == ENTERPRISE_URN else "custom"
        _flatten(found, section if name.startswith("urn:") else name, value)
    return found


def _flatten(found: dict[str, Any], name: str, value: Any) -> None:
    match value:
        case Mapping():
            for part, inner in value.items():
                _flatten(found, f"{name}.{part}", inner)
        case [Mapping(), *_]:
            for element in value:
                for part, inner in element.items():
                    if part != "type":
                        found[f"{name}[{element.get('type', '')}].{part}"] = inner
        case []:
            pass
        case _:
            found[name] = value
