"""`bridge why`: one person explained, in sentences first."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Annotated, Any

import typer

from bridge.cli.context import context
from bridge.cli.output import Json, ago, data, say, table
from bridge.cli.people import PersonName, as_row
from bridge.cli.words import kind, rehire
from bridge.mapping.explanation import SENSITIVE, Explained, Explanation
from bridge.model import Entry, Mapped
from bridge.store import plans
from bridge.sync import why as explain
from bridge.sync.leadership import utc_now
from bridge.sync.why import Why

_WORKINGS = ("vars.", "skip[", "active.", "key", "groups[")
"""How the names of what is worked out on the way begin; the rest is served."""


def register(app: typer.Typer) -> None:
    app.command()(why)


def why(
    person: PersonName,
    all_: Annotated[
        bool, typer.Option("--all", help="Also rules, vars, empty values and expressions.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Explain a person: why active or not, who or what made it so, and each value's origin.

    Example: bridge why ann@example.com
    """
    _, store = context()
    found = explain.why(store, person, utc_now())
    if as_json:
        data(_as_json(found))
        return
    for sentence in _sentences(found):
        say(sentence)
    if found.explanation is None:
        return
    say("\nWhat the record makes of each value:\n" if all_ else "\nValues, and where from:\n")
    if all_:
        for value in found.explanation.values:
            for line in _block(value):
                say(line)
    else:
        table(
            ["Value", "From", "Is"],
            _rows(found.explanation),
            empty="No value could be worked out.",
        )
        say("\n--all shows how each was worked out, and every rule that was tried.")


def _sentences(found: Why) -> Iterator[str]:
    person, served = found.person, found.person.served
    if served is None:
        yield f"{person.key} of {person.source.name} has a record but is not served."
    else:
        yield f"{served.user_name} is {_word(served.active)}: {served.reason}."
        yield f"  Person {person.key} of {person.source.name}, number {served.position} in the list"
        yield f"  SCIM id {served.id}"
        if found.run is not None:
            run = found.run
            yield f"  Last changed {ago(run.ended_at)} by run {run.id} ({run.actor})"
    if found.override is not None:
        over = found.override
        until = f" until {over.until:%Y-%m-%d %H:%M} UTC" if over.until else ""
        yield f"{over.actor} keeps this person {_word(over.active)}{until}: {over.reason}."
        whom = served.id if served else person.key
        yield f"  bridge override end {whom}   lets the source speak again."
    for change in found.waiting.values():
        yield f"Waiting ({kind(change.kind)}, {change.state}): " + (
            f"bridge plan show {change.plan_hash[: plans.SHOWN]}"
        )
    if found.problem is not None:
        yield f"Not served as the source has it, since {ago(found.problem.since)}:"
        yield from (f"  {message}" for message in found.problem.messages)
    for each in found.rehires:
        yield from rehire(each)
    yield from _verdict(found)
    if found.history:
        yield "What happened:"
    for event in found.history:
        detail = json.loads(event.detail)
        reason = f": {detail['reason']}" if detail.get("reason") else ""
        yield f"  {event.at:%Y-%m-%d %H:%M} UTC  {event.action} by {event.actor}{reason}"


def _verdict(found: Why) -> Iterator[str]:
    """What the live mapping says of the records now."""
    if found.explanation is None:
        if found.outside:
            yield "The source still has this person, but not where `base` and `filter` look."
        else:
            yield "The source has no record of this person any more."
        return
    mapped = found.explanation.mapped
    if mapped.skipped:
        yield f"The mapping leaves this person out: {mapped.skipped} ({_rule(mapped.rule)})."
    elif mapped.active is not None:
        yield f"The mapping says {_word(mapped.active)}: {mapped.reason} ({_rule(mapped.rule)})."
    if mapped.until is not None:
        yield f"  This may change on {mapped.until:%Y-%m-%d at %H:%M} UTC, when a date passes."
        if found.then is not None:
            yield f"  Then: {_outcome(found.then)}."
    if len(found.entries) > 1:
        speaker = found.entries[found.explanation.speaker]
        yield f"{len(found.entries)} records are this person; {speaker.record_key} speaks for all."


def _outcome(mapped: Mapped) -> str:
    """What the mapping makes of a person, in a few words."""
    if mapped.skipped:
        return f"left out, {mapped.skipped}"
    if mapped.active is None:
        return "; ".join(mapped.faults)
    return f"{_word(mapped.active)}, {mapped.reason}"


def _rule(text: str) -> str:
    return "no rule holds" if text == "otherwise" else f"rule: {text}"


def _word(active: bool) -> str:
    return "active" if active else "inactive"


def _rows(explanation: Explanation) -> Iterator[tuple[str, str, str]]:
    for value in explanation.values:
        if value.problem:
            yield value.target, ", ".join(value.inputs), f"cannot be worked out: {value.problem}"
        elif not value.target.startswith(_WORKINGS) and value.value not in (None, "", []):
            yield value.target, ", ".join(value.inputs), _text(value.value)


def _block(value: Explained) -> Iterator[str]:
    yield f"{value.target}: {value.problem or _text(value.value) or 'nothing'}"
    yield f"    = {value.expression}    ({value.place.in_words})"
    for name, held in value.inputs.items():
        yield f"      {name}: {_text(held) or 'nothing'}"


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return ", ".join(map(_text, value))
    return "" if value is None else str(value)


def _as_json(found: Why) -> dict[str, Any]:
    person, explanation = found.person, found.explanation
    mapped = explanation.mapped if explanation else None
    override = found.override
    return {
        "person": as_row(person.served, person.source.name)
        if person.served
        else {"key": person.key, "source": person.source.name},
        "records": [
            {"record_key": entry.record_key, "attributes": _attributes(entry, explanation)}
            for entry in found.entries
        ],
        "active": mapped.active if mapped else None,
        "reason": (mapped.reason or None) if mapped else None,
        "rule": (mapped.rule or None) if mapped else None,
        "skipped": (mapped.skipped or None) if mapped else None,
        "outside": found.outside,
        "until": mapped.until if mapped else None,
        "then": {
            "active": found.then.active,
            "reason": found.then.reason or None,
            "skipped": found.then.skipped or None,
        }
        if found.then
        else None,
        "values": [
            {
                "target": value.target,
                "value": value.value,
                "problem": value.problem or None,
                "expression": value.expression,
                "line": value.place.line,
                "preset": value.place.preset or None,
                "inputs": dict(value.inputs),
            }
            for value in (explanation.values if explanation else ())
        ],
        "override": override.model_dump(exclude={"id", "source_id"}) if override else None,
        "waiting": [
            {"kind": change.kind, "plan": change.plan_hash, "state": change.state}
            for change in found.waiting.values()
        ],
        "problems": list(found.problem.messages) if found.problem else [],
        "rehires": [
            {"new": each.new.id, "old": each.old.id, "by": list(each.by), "next": each.advice}
            for each in found.rehires
        ],
        "run": found.run.id if found.run else None,
        "history": [
            {
                "at": event.at,
                "actor": event.actor,
                "action": event.action,
                **json.loads(event.detail),
            }
            for event in found.history
        ],
    }


def _attributes(entry: Entry, explanation: Explanation | None) -> dict[str, Any]:
    sensitive = explanation.sensitive if explanation else frozenset()
    return {
        name: SENSITIVE if name in sensitive else value for name, value in entry.attributes.items()
    }
