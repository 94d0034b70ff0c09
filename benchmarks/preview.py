"""What `bridge preview` and `bridge why` cost, as an admin runs them.

    python -m benchmarks.preview [--people 100000] [--rounds 3]

An invented company is synced from an HR export with the sample's mapping. Then the file is edited
so that everybody gets another title, and each command is run as a process of its own, start and
imports included, with its modules compiled as an installation has them.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.cost import alone
from benchmarks.reads import Company, generate
from bridge.sync.run import FULL

_TITLE = "title:        job_title"
_SOURCE, _ONE = "sample-hr", "P0000100"


def load(company: Company) -> None:
    """Sync everybody, and edit the file afterwards."""
    company.sync(FULL)
    text = company.mapping.read_text(encoding="utf-8")
    if _TITLE not in text:
        raise RuntimeError(f"the sample's mapping has no line `{_TITLE}`")
    company.mapping.write_text(text.replace(_TITLE, f"{_TITLE} | upper"), encoding="utf-8")


def run(command: Sequence[str], environment: Mapping[str, str]) -> tuple[float, float]:
    """Seconds, and seconds of CPU, of a command of the bridge that succeeds."""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    ran = subprocess.run(
        [sys.executable, "-m", "bridge", *command],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
    )
    wall = time.perf_counter() - began
    if ran.returncode:
        sys.exit(f"bridge {' '.join(command)} ended with {ran.returncode}: {ran.stderr}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--people", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=3, help="runs of each command")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        company = Company(Path(folder), given.people)
        alone(generate, company)
        alone(load, company)
        environment = {
            "BRIDGE_DATABASE": company.database,
            "BRIDGE_MAPPINGS": folder,
            "PYTHONDONTWRITEBYTECODE": "",
            "PYTHONPYCACHEPREFIX": f"{folder}/compiled",
        }
        commands = {
            "why, of one person": ["why", _ONE],
            "preview of one person": ["preview", _SOURCE, "--person", _ONE],
            "preview of everybody": ["preview", _SOURCE],
        }
        print(f"{given.people:,} people, {os.cpu_count()} cores, median of {given.rounds} runs\n")
        for name, command in commands.items():
            run(command, environment)  # compiles what is not compiled yet
            told = [run(command, environment) for _ in range(given.rounds)]
            wall, cpu = (statistics.median(each) for each in zip(*told, strict=True))
            print(f"{name:<24}{wall:>8.2f} s, {cpu:.2f} s of CPU")


if __name__ == "__main__":
    main()
