"""What one changed member costs in a group of a directory, large and small.

    python -m benchmarks.groups [--members 100000] [--json]

An invented directory of so many people has one group with everybody in it and one with a hundred.
One member leaves each, is told by a read of changes, as a directory tells it: with the whole
group. What it costs from there to what is served is measured, the median of rounds.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from hashlib import blake2b
from pathlib import Path

from benchmarks.cost import Cost, alone, measured
from bridge.model import Batch, Entry, Kind, Verdict
from bridge.store import Store, plans, runs
from bridge.store import sources as source_rows
from bridge.sync import catalog
from bridge.sync.leadership import leadership
from bridge.sync.read import Reading
from bridge.sync.run import DECIDE, Sync

SMALL = 100
_ROUNDS = 5
_BATCH = 1000
_NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)
_BASE = "dc=uni,dc=example"
_MAPPING = f"""\
version: 1
name: directory
source: {{ type: ldap, url: ldaps://ldap.uni.example, base: "ou=people,{_BASE}" }}
attributes: [entryUUID, uid, sn, mail]
limits: {{ first_load: publish }}
key: entryUUID
external_id: uid
active:
  otherwise: {{ then: true, reason: no lock found }}
user:
  userName: {{ expr: mail, required: true }}
  name: {{ givenName: {{ const: Given }}, familyName: {{ expr: sn, required: true }} }}
  emails:
    - {{ value: mail, type: work, primary: true }}
groups:
  - base: ou=groups,{_BASE}
    filter: (objectClass=groupOfNames)
    key: entryUUID
    displayName: cn
    members: member | ref('dn')
    nested: flatten
"""


@dataclass(frozen=True, slots=True)
class _Told:
    """A source that tells what it is given."""

    entries: Sequence[Entry]
    whole: bool

    def read(self, cookie: bytes | None) -> Iterator[Batch]:
        for start in range(0, len(self.entries), _BATCH):
            yield Batch(self.entries[start : start + _BATCH])
        yield Batch(verdict=Verdict(complete=True, whole=self.whole))


def _entry(key: str, ref: str, kind: Kind, attributes: Mapping[str, object]) -> Entry:
    fingerprint = blake2b(repr(attributes).encode(), digest_size=16).digest()
    return Entry(key, {**attributes, "dn": ref}, fingerprint, ref, kind)


def _person(number: int) -> Entry:
    uid = f"u{number}"
    attributes = {"entryUUID": uid, "uid": uid, "sn": uid, "mail": f"{uid}@uni.example"}
    return _entry(uid, _dn(number), Kind.USER, {**attributes})


def _dn(number: int) -> str:
    return f"uid=u{number},ou=people,{_BASE}"


def _group(name: str, members: Sequence[int]) -> Entry:
    named = [_dn(number) for number in members]
    attributes = {"entryUUID": name, "cn": name, "member": named}
    return _entry(f"group 0 {name}", f"cn={name},ou=groups,{_BASE}", Kind.GROUP, attributes)


def measure(size: int) -> dict[str, Cost]:
    """What one changed member costs in each group, in a company of ``size`` people."""
    with tempfile.TemporaryDirectory(prefix="bridge-groups-") as folder:
        (Path(folder) / "directory.yaml").write_text(_MAPPING, encoding="utf-8")
        store = Store.open(f"sqlite:///{folder}/bridge.db")
        try:
            with leadership(store) as epoch:
                return _measured(Sync(store, Path(folder), epoch, lambda: _NOW), size)
        finally:
            store.close()


def _measured(syncing: Sync, size: int) -> dict[str, Cost]:
    groups = {"small": list(range(SMALL)), "large": list(range(size))}
    told = [_person(number) for number in range(size)]
    told += [_group(name, members) for name, members in groups.items()]
    _await_first_load(syncing)
    costs = {"first load": measured(lambda: _sync(syncing, _Told(told, whole=True)))}
    for name, members in groups.items():
        rounds = []
        for _ in range(_ROUNDS):
            members.pop()
            news = _Told([_group(name, members)], whole=False)
            rounds.append(measured(lambda news=news: _one(syncing, news)))  # type: ignore[misc]
        costs[name] = Cost(
            statistics.median(cost.wall for cost in rounds),
            statistics.median(cost.cpu for cost in rounds),
            max(cost.peak for cost in rounds),
        )
    return costs


def _await_first_load(syncing: Sync) -> None:
    """Open the plan of the first load, so that it is decided on what has been read already."""
    with syncing.store.write() as connection:
        row = source_rows.register(connection, "directory", "directory.yaml")
        run = runs.start(connection, row.id or 0, DECIDE, "benchmark", _NOW)
        plans.create(connection, row.id or 0, plans.FIRST_LOAD, [], run, _NOW, _MAPPING)


def _one(syncing: Sync, source: _Told) -> None:
    if (written := _sync(syncing, source)) != 1:
        raise RuntimeError(f"{written} people were written instead of one")


def _sync(syncing: Sync, source: _Told) -> int:
    mapping = catalog.compile(_MAPPING, "directory.yaml")
    with syncing.store.write() as connection:
        row = source_rows.register(connection, mapping.name, "directory.yaml")
        run = runs.start(connection, row.id or 0, DECIDE, "benchmark", _NOW)
    reading = Reading(
        syncing.store, row, mapping, run, syncing.epoch, _NOW, lambda step, done: None
    )
    reading.read(source, None)
    return syncing.run(mapping.name, DECIDE, "benchmark").written


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.groups", description="Measure what a changed member costs."
    )
    parser.add_argument("--members", type=int, default=100_000, help="of the large group (100000)")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    options = parser.parse_args()
    costs = alone(measure, options.members)
    about = {
        "members": options.members,
        "cores": os.cpu_count(),
        "python": platform.python_version(),
    }
    if options.json:
        print(json.dumps({**about, "steps": {name: asdict(cost) for name, cost in costs.items()}}))
        return
    print("a group of {members:,}, {cores} cores, Python {python}".format(**about))
    print(f"{'':<28}{'wall s':>9}{'CPU s':>9}")
    for name, label in (
        ("first load", "first load, everybody"),
        ("small", f"one of {SMALL} members left"),
        ("large", f"one of {options.members:,} left"),
    ):
        print(f"{label:<28}{costs[name].wall:>9.3f}{costs[name].cpu:>9.3f}")


if __name__ == "__main__":
    main()
