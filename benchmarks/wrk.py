"""What ``wrk`` counts: pages a second, and how long they take."""

from __future__ import annotations

import re
import statistics
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

CONNECTIONS = 8

_MILLISECONDS = {"us": 0.001, "ms": 1.0, "s": 1000.0}
_WALK = """
local at = %(before)d
request = function()
  at = (at + %(step)d) %% %(people)d
  return wrk.format("GET", "/scim/v2/Users?count=%(page)d&startIndex=" .. (at + %(first)d))
end
"""
"""What makes wrk ask for page after page, from the start again after the last one."""


@dataclass(frozen=True, slots=True)
class Told:
    """What ``wrk`` counted: pages a second, and the latency of all but 1 % of them in ms."""

    rate: float
    p99: float


class Wrk:
    """Asks one URL with a token, or page after page of a stretch of the list."""

    def __init__(self, folder: Path, secret: str, seconds: int, page: int) -> None:
        self._folder = folder
        self._secret = secret
        self._seconds = seconds
        self._page = page

    def ask(self, url: str, stretch: range | None = None, skip: int = 0) -> Told:
        """Ends the benchmark where an answer was not 2xx.

        A stretch is of the pages' first positions; it is walked again and again, but for the
        first ``skip`` pages.
        """
        command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{self._seconds}s", "--latency"]
        if stretch:
            script = self._folder / "walk.lua"
            people = stretch.stop - stretch.start
            values = {
                "page": self._page,
                "step": stretch.step,
                "people": people,
                "first": stretch.start,
                "before": (skip - 1) * stretch.step % people,
            }
            script.write_text(_WALK % values)
            command += ["-s", str(script)]
        told = subprocess.run(
            [*command, "-H", f"Authorization: {self._secret}", url],
            capture_output=True, text=True, check=True,
        ).stdout  # fmt: skip
        rate = re.search(r"Requests/sec:\s+([\d.]+)", told)
        p99 = re.search(r"99%\s+([\d.]+)(us|ms|s)", told)
        if rate is None or p99 is None or "Non-2xx" in told or "Socket errors" in told:
            sys.exit(f"wrk did not get its pages:\n{told}")
        return Told(float(rate[1]), float(p99[1]) * _MILLISECONDS[p99[2]])


def compare(sides: Mapping[str, Callable[[], Told]], rounds: int) -> dict[str, Told]:
    """Ask every side in turn; the medians by name."""
    told: dict[str, list[Told]] = {name: [] for name in sides}
    for _ in range(rounds):
        for name, ask in sides.items():
            told[name].append(ask())
    return {
        name: Told(
            statistics.median(one.rate for one in found),
            statistics.median(one.p99 for one in found),
        )
        for name, found in told.items()
    }
