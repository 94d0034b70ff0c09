"""What a step of a benchmark costs, measured in a process of its own."""

from __future__ import annotations

import multiprocessing
import resource
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

_HOUR = 3600.0

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Cost:
    """What something took: seconds, seconds of CPU, and the process's peak of memory in MB."""

    wall: float
    cpu: float
    peak: float


def measured(step: Callable[[], object]) -> Cost:
    """What a step costs; the peak is that of its process so far."""
    wall, cpu = time.perf_counter(), time.process_time()
    step()
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return Cost(wall, cpu, peak / (1 << 20 if sys.platform == "darwin" else 1 << 10))


def alone(step: Callable[..., T], *arguments: Any) -> T:
    """Run a step in a fresh process, an hour at most.

    Its peak of memory is its own only where the process that asks is smaller.
    """
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply_async(step, arguments).get(_HOUR)
