"""A complete read of a directory against ldapsearch: CPU of the client, both from one run.

    python -m benchmarks.ldap_read [--people 100000] [--rounds 3]

A slapd of its own is loaded with invented people and read in turn by ``ldapsearch`` in pages of
1,000 and by the source ``ldap``, which asks for the same attributes. What slapd itself uses is not
counted, nor is Python's start: the bridge is a process that stays.
"""

from __future__ import annotations

import argparse
import io
import os
import resource
import statistics
import subprocess
import time
from pathlib import Path

from benchmarks.ldif import ATTRIBUTES, BASE, write_ldif
from benchmarks.people import people
from bridge.model import Wanted
from bridge.sources import ldap
from tests.servers.slapd import READER, READER_PASSWORD, Slapd, temporary_slapd


def by_ldapsearch(server: Slapd) -> tuple[float, float]:
    """CPU and wall seconds of an ldapsearch that reads everybody."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    begun = time.perf_counter()
    subprocess.run(
        ["ldapsearch", "-x", "-LLL", "-E", "pr=1000/noprompt", "-H", server.url, "-D", READER,
         "-w", READER_PASSWORD, "-b", BASE, "(objectClass=inetOrgPerson)", "entryUUID",
         "modifyTimestamp", *ATTRIBUTES],
        stdout=subprocess.DEVNULL, check=True,
    )  # fmt: skip
    wall = time.perf_counter() - begun
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, wall


def by_the_bridge(server: Slapd, expected: int) -> tuple[float, float]:
    """CPU and wall seconds of a complete read by the source."""
    settings = ldap.Settings.model_validate(
        {"url": server.url, "base": BASE, "bind_dn": READER, "password": READER_PASSWORD}
    )
    source = ldap.open(settings, Path("/"), Wanted(frozenset(ATTRIBUTES)))
    cpu, begun, count = time.process_time(), time.perf_counter(), 0
    for batch in source.read(None):
        count += len(batch.entries)
    spent = time.process_time() - cpu, time.perf_counter() - begun
    assert count == expected
    assert batch.verdict is not None
    assert batch.verdict.complete
    return spent


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.ldap_read")
    parser.add_argument("--people", type=int, default=100_000, help="how many people (100000)")
    parser.add_argument("--rounds", type=int, default=3, help="how often each reads (3)")
    options = parser.parse_args()
    with temporary_slapd() as server:
        server.stop()
        file = io.StringIO()
        write_ldif(people(options.people, seed=1), file)
        server.load(file.getvalue())
        server.start()
        print(f"{options.people:,} people, {os.cpu_count()} cores; seconds of CPU (and in all)")
        ratios = []
        for _ in range(options.rounds):
            theirs, ours = by_ldapsearch(server), by_the_bridge(server, options.people)
            ratios.append(ours[0] / theirs[0])
            print(
                f"ldapsearch {theirs[0]:.2f} ({theirs[1]:.2f})  "
                f"complete read {ours[0]:.2f} ({ours[1]:.2f})  ratio {ratios[-1]:.2f}"
            )
        print(f"complete read against ldapsearch: {statistics.median(ratios):.2f} times the CPU")


if __name__ == "__main__":
    main()
