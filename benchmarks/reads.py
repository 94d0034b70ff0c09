"""What a sync costs, against a plain pass over the same file with Python's ``csv``.

    python -m benchmarks.reads [--people 200000] [--json]

An invented company is written as an HR export and synced with the sample's mapping, the way the
daemon does it, on SQLite. Every step is a process of its own, so its peak of memory is its own.
The last step, a hundred changed people told by a source that tells changes alone, is measured
among 10,000 people too: it should cost the same.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import platform
import statistics
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from datetime import time as time_of_day
from hashlib import blake2b
from pathlib import Path

from benchmarks.cost import Cost, alone, measured
from benchmarks.people import TODAY, Person, churn, people, write_csv
from bridge import sources
from bridge.model import Batch, Verdict
from bridge.store import Store, runs
from bridge.store import sources as source_rows
from bridge.sync import catalog
from bridge.sync.leadership import leadership
from bridge.sync.read import Reading
from bridge.sync.run import CHANGES, DECIDE, FULL, Sync

SAMPLE = Path(__file__).parent.parent / "mappings" / "sample-hr.yaml"
SEED = 1
FEW = 100
SMALL = 10_000
_ROUNDS = 8
_NOW = datetime.combine(TODAY, time_of_day(12), UTC)


@dataclass(frozen=True, slots=True)
class Company:
    """A folder with the mapping file, its export and the store."""

    folder: Path
    size: int

    @property
    def export(self) -> Path:
        return self.folder / "export.csv"

    @property
    def mapping(self) -> Path:
        return self.folder / "sample-hr.yaml"

    @property
    def database(self) -> str:
        return f"sqlite:///{self.folder}/bridge.db"

    def write(self, those: Iterable[Person], export: Path, day: int = 0) -> int:
        """Write an export as of some days after the company's first; gives the count of rows."""
        with export.open("w", encoding="utf-8", newline="") as file:
            rows = write_csv(those, file)
        written = _NOW.timestamp() + day * 86_400
        os.utime(export, (written, written))
        return rows

    def few(self, title: str) -> Iterator[Person]:
        """`FEW` people, spread over the company, with another title."""
        # Not the very first: every joiner's manager, who has more to follow in a larger company.
        for number, person in enumerate(people(self.size, SEED), start=1):
            if number % (self.size // FEW) == 0 and number <= self.size // FEW * FEW:
                *earlier, last = person.employments
                yield replace(person, employments=(*earlier, replace(last, title=title)))

    def sync(self, mode: str) -> None:
        """Sync as the daemon does, and end the benchmark where that did not go as it should."""
        store = Store.open(self.database)
        try:
            with leadership(store) as epoch:
                report = Sync(store, self.folder, epoch, lambda: _NOW).run(
                    "sample-hr", mode, "benchmark"
                )
        finally:
            store.close()
        if report.exit_code:
            raise RuntimeError(f"a sync ended with {report.as_json()}")


# -- steps, each run in a process of its own ---------------------------------------------------


def generate(company: Company) -> int:
    """Write the mapping file and the first export; gives the count of rows."""
    text = SAMPLE.read_text(encoding="utf-8")
    changes = {
        "path: sample-hr.csv": f"settle: 0 seconds\n  path: {company.export.name}",
        # One percent of a very large company is more than goes live unasked.
        "limits: ": "limits:\n  absent: 5 %\n  disabled: 5 %",
    }
    for old, new in changes.items():
        if old not in text:
            raise RuntimeError(f"{SAMPLE} has no line `{old}`")
        text = text.replace(old, new)
    company.mapping.write_text(text, encoding="utf-8")
    return company.write(people(company.size, SEED), company.export)


def change(company: Company) -> None:
    """Replace the export by one in which 1 % of the people changed."""
    later = churn(people(company.size, SEED), 0.01, SEED + 1, TODAY)
    company.write(later, company.export, day=1)


def edit(company: Company) -> None:
    """Edit the mapping file in a way that changes nothing for anybody."""
    with company.mapping.open("a", encoding="utf-8") as file:
        file.write("\n# one more comment\n")


def pass_over(company: Company) -> Cost:
    """The yardstick: every row of the export through Python's csv module, and hashed."""

    def run() -> None:
        with company.export.open(encoding="utf-8", newline="") as file:
            for row in csv.reader(file, delimiter=";"):
                blake2b("\0".join(row).encode(), digest_size=16).digest()

    return measured(run)


def sync(company: Company, mode: str) -> Cost:
    """One sync of the company as it is there now."""
    return measured(lambda: company.sync(mode))


def few(company: Company) -> Cost:
    """A change of `FEW` people from the source's word to what is served; the median of rounds.

    The first round is not counted: a daemon has its statements and its mapping compiled.
    """
    store = Store.open(company.database)
    try:
        with leadership(store) as epoch:
            syncing = Sync(store, company.folder, epoch, lambda: _NOW)
            costs = [_few(company, syncing, number) for number in range(_ROUNDS)][1:]
    finally:
        store.close()
    return Cost(
        statistics.median(cost.wall for cost in costs),
        statistics.median(cost.cpu for cost in costs),
        max(cost.peak for cost in costs),
    )


def _few(company: Company, syncing: Sync, number: int) -> Cost:
    store = syncing.store
    mapping = catalog.compile(company.mapping.read_text(encoding="utf-8"), str(company.mapping))
    told = company.folder / f"few-{number}" / company.export.name
    told.parent.mkdir()
    company.write(company.few(f"Expert {number}"), told, day=2)
    settings = mapping.source_settings()
    assert isinstance(settings, sources.SourceSettings)
    kind = sources.kinds()[mapping.source_type]
    source = _Changes(list(kind.open(settings, told.parent).read(None)))
    with store.write() as connection:
        row = source_rows.register(connection, mapping.name, str(company.mapping))
        run = runs.start(connection, row.id or 0, CHANGES, "benchmark", _NOW)
    written = 0

    def step() -> None:
        nonlocal written
        reading = Reading(store, row, mapping, run, syncing.epoch, _NOW, lambda step, done: None)
        reading.read(source, None)
        written = syncing.run(mapping.name, DECIDE, "benchmark").written

    cost = measured(step)
    if written != FEW:
        raise RuntimeError(f"{written} people were written instead of {FEW}")
    return cost


@dataclass(frozen=True, slots=True)
class _Changes:
    """A source that tells changes alone: what it does not tell is as it was."""

    batches: Sequence[Batch]

    def read(self, cookie: bytes | None) -> Iterator[Batch]:
        for batch in self.batches:
            yield replace(batch, cookie=None, verdict=batch.verdict and Verdict(complete=True))


# -- the whole ---------------------------------------------------------------------------------


def measure(company: Company) -> tuple[int, dict[str, Cost]]:
    """The rows of the company's export, and what each step costs, in the order of running."""
    rows = alone(generate, company)
    costs = {"csv alone": alone(pass_over, company)}
    costs["first load"] = alone(sync, company, FULL)
    costs["nothing changed"] = alone(sync, company, FULL)
    alone(change, company)
    costs["1 % changed"] = alone(sync, company, CHANGES)
    alone(edit, company)
    costs["file edited"] = alone(sync, company, DECIDE)
    costs[f"{FEW} changes"] = alone(few, company)
    return rows, costs


def few_among(size: int) -> Cost:
    """What `FEW` changes cost in a company of its own, of ``size`` people."""
    with _company(size) as company:
        alone(generate, company)
        alone(sync, company, FULL)
        return alone(few, company)


@contextmanager
def _company(size: int) -> Iterator[Company]:
    with tempfile.TemporaryDirectory(prefix="bridge-reads-") as folder:
        yield Company(Path(folder), size)


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.reads", description="Measure what a sync costs."
    )
    parser.add_argument("--people", type=int, default=200_000, help="how many (200000)")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    options = parser.parse_args()
    if options.people < FEW:
        parser.error(f"at least {FEW} people")
    with _company(options.people) as company:
        rows, costs = measure(company)
    small = few_among(SMALL)
    about = {
        "people": options.people,
        "rows": rows,
        "cores": os.cpu_count(),
        "python": platform.python_version(),
    }
    if options.json:
        steps = {name: asdict(cost) for name, cost in costs.items()}
        print(json.dumps({**about, "steps": steps, f"among_{SMALL}": asdict(small)}))
        return
    print("{people:,} people, {rows:,} rows, {cores} cores, Python {python}".format(**about))
    print(f"{'':<16}{'wall s':>9}{'CPU s':>9}{'us/person':>11}{'peak MB':>9}{'x csv':>8}")
    yardstick = costs["csv alone"].cpu
    for name, cost in costs.items():
        each = cost.cpu / options.people * 1e6
        print(
            f"{name:<16}{cost.wall:>9.2f}{cost.cpu:>9.2f}{each:>11.1f}"
            f"{cost.peak:>9.0f}{cost.cpu / yardstick:>8.1f}"
        )
    many = costs[f"{FEW} changes"]
    print(
        f"{FEW} changes among {options.people:,}: {many.wall:.3f} s, among {SMALL:,}: "
        f"{small.wall:.3f} s, ratio {many.wall / small.wall:.2f} "
        f"(CPU {many.cpu / small.cpu:.2f})"
    )


if __name__ == "__main__":
    main()
