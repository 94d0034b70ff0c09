"""What a directory costs to read, against an ldapsearch of the same entries in the same run.

    python -m benchmarks.ldap_read [--people 100000] [--rounds 3] [--json]

A slapd of its own is loaded with invented people. ``ldapsearch`` reads them in pages of 1,000, the
bridge's source asks for the same attributes, and a sync does what the daemon's does, on SQLite:
first everything for the first time, then once more when nothing has changed. CPU is the client's
alone, without Python's start: the bridge is a process that stays. Every step is a process of its
own, so its peak of memory is its own.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import platform
import resource
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from datetime import time as time_of_day
from pathlib import Path

from benchmarks.cost import Cost, alone, measured
from benchmarks.ldif import ATTRIBUTES, BASE, write_ldif
from benchmarks.people import TODAY, people
from bridge import sources
from bridge.mapping import Mapping
from bridge.sources import SourceSettings
from bridge.store import Store
from bridge.sync import catalog
from bridge.sync.garbage import rarely_collected
from bridge.sync.leadership import leadership
from bridge.sync.report import Report
from bridge.sync.run import FULL, Sync
from tests.servers.slapd import READER, READER_PASSWORD, Slapd, temporary_slapd

MAPPING = Path(__file__).with_name("directory.yaml")
YARDSTICK = "ldapsearch"
SOURCE, FIRST, UNCHANGED = "source alone", "first load", "nothing changed"
_NOW = datetime.combine(TODAY, time_of_day(12), UTC)


@dataclass(frozen=True, slots=True)
class Directory:
    """A directory with so many people, and a folder with the mapping file and the store."""

    folder: Path
    size: int
    url: str

    @property
    def file(self) -> Path:
        return self.folder / MAPPING.name

    @property
    def database(self) -> Path:
        return self.folder / "bridge.db"

    def mapping(self) -> Mapping:
        return catalog.compile(self.file.read_text(encoding="utf-8"), str(self.file))

    def write_mapping(self) -> None:
        password = self.folder / "password"
        password.write_text(READER_PASSWORD, encoding="utf-8")
        text = MAPPING.read_text(encoding="utf-8")
        for name, value in (("URL", self.url), ("PASSWORD_FILE", str(password))):
            text = text.replace(name, value)
        self.file.write_text(text, encoding="utf-8")


# -- steps, each run in a process of its own ---------------------------------------------------


def fill(folder: Path, size: int) -> None:
    """Load the directory in ``folder``, which is stopped."""
    file = io.StringIO()
    write_ldif(people(size, seed=1), file)
    Slapd(folder, 0, 0).load(file.getvalue())


def read(directory: Directory) -> Cost:
    """A complete read by the source alone, of which nothing is kept."""
    mapping = directory.mapping()
    settings = mapping.source_settings()
    assert isinstance(settings, SourceSettings)
    kind = sources.kinds()[mapping.source_type]
    source = kind.open(settings, directory.folder, mapping.wanted)
    count = 0

    def run() -> None:
        nonlocal count
        with rarely_collected():
            for batch in source.read(None):
                count += len(batch.entries)
        if batch.verdict is None or not batch.verdict.complete:
            raise RuntimeError(f"the read ended with {batch.verdict}")

    cost = measured(run)
    if count != directory.size:
        raise RuntimeError(f"{count} people were read instead of {directory.size}")
    return cost


def first_load(directory: Directory) -> Cost:
    """Everybody read, recorded, mapped and published, into a new store."""
    for file in directory.folder.glob(directory.database.name + "*"):
        file.unlink()
    report, cost = _sync(directory)
    if report.written != directory.size:
        raise RuntimeError(f"the first load ended with {report.as_json()}")
    return cost


def nothing_changed(directory: Directory) -> Cost:
    """A complete sync that finds everybody as they were."""
    report, cost = _sync(directory)
    if report.entries != directory.size or report.changed or report.written:
        raise RuntimeError(f"a sync without changes ended with {report.as_json()}")
    return cost


def _sync(directory: Directory) -> tuple[Report, Cost]:
    """A complete sync as the daemon does it."""
    name = directory.mapping().name
    store = Store.open(f"sqlite:///{directory.database}")
    reports = []
    try:
        with leadership(store) as epoch:
            sync = Sync(store, directory.folder, epoch, lambda: _NOW)
            cost = measured(lambda: reports.append(sync.run(name, FULL, "benchmark")))
    finally:
        store.close()
    if reports[0].exit_code:
        raise RuntimeError(f"a sync ended with {reports[0].as_json()}")
    return reports[0], cost


def by_ldapsearch(url: str) -> Cost:
    """An ldapsearch that reads everybody; its peak of memory is not known."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    begun = time.perf_counter()
    subprocess.run(
        ["ldapsearch", "-x", "-LLL", "-E", "pr=1000/noprompt", "-H", url, "-D", READER,
         "-w", READER_PASSWORD, "-b", BASE, "(objectClass=inetOrgPerson)", "entryUUID",
         "modifyTimestamp", *ATTRIBUTES],
        stdout=subprocess.DEVNULL, check=True,
    )  # fmt: skip
    wall = time.perf_counter() - begun
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Cost(wall, cpu, 0.0)


# -- the whole ---------------------------------------------------------------------------------


def measure(directory: Directory) -> dict[str, Cost]:
    """What each step costs, in the order of running, in one round.

    The yardstick is applied before and after each of them: how fast a shared machine is changes
    by the minute.
    """
    steps: dict[str, Callable[[Directory], Cost]] = {
        SOURCE: read,
        FIRST: first_load,
        UNCHANGED: nothing_changed,
    }
    costs = {}
    searches = [by_ldapsearch(directory.url)]
    for name, step in steps.items():
        costs[name] = alone(step, directory)
        searches.append(by_ldapsearch(directory.url))
    wall, cpu = (
        statistics.mean(getattr(each, what) for each in searches) for what in ("wall", "cpu")
    )
    return {YARDSTICK: Cost(wall, cpu, 0.0), **costs}


@contextmanager
def loaded(size: int) -> Iterator[Directory]:
    """A directory of ``size`` people, and everything that the steps need."""
    with tempfile.TemporaryDirectory(prefix="bridge-ldap-") as folder, temporary_slapd() as server:
        server.stop()
        alone(fill, server.folder, size)
        server.start()
        directory = Directory(Path(folder), size, server.url)
        directory.write_mapping()
        wanted = directory.mapping().wanted.attributes
        if wanted != {"entryUUID", *ATTRIBUTES}:
            raise RuntimeError(f"ldapsearch and the mapping ask for different attributes: {wanted}")
        yield directory


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.ldap_read")
    parser.add_argument("--people", type=int, default=100_000, help="how many people (100000)")
    parser.add_argument("--rounds", type=int, default=3, help="how often each step runs (3)")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    options = parser.parse_args()
    with loaded(options.people) as directory:
        rounds = [measure(directory) for _ in range(options.rounds)]
    about = {
        "people": options.people,
        "attributes": len(ATTRIBUTES),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
    }
    ratios = {
        name: statistics.median(costs[name].cpu / costs[YARDSTICK].cpu for costs in rounds)
        for name in rounds[0]
    }
    if options.json:
        steps = [{name: asdict(cost) for name, cost in costs.items()} for costs in rounds]
        print(json.dumps({**about, "rounds": steps, "ratios": ratios}))
        return
    print(
        "{people:,} people of {attributes} attributes, {cores} cores, Python {python}".format(
            **about
        )
    )
    print(
        f"{'median of ' + str(options.rounds):<16}{'wall s':>9}{'CPU s':>9}{'us/person':>11}"
        f"{'peak MB':>9}{'x ' + YARDSTICK:>14}"
    )
    for name in rounds[0]:
        wall, cpu, peak = (
            statistics.median(getattr(costs[name], what) for costs in rounds)
            for what in ("wall", "cpu", "peak")
        )
        memory = f"{peak:.0f}" if peak else ""
        print(
            f"{name:<16}{wall:>9.2f}{cpu:>9.2f}{cpu / options.people * 1e6:>11.1f}"
            f"{memory:>9}{ratios[name]:>14.2f}"
        )


if __name__ == "__main__":
    main()
