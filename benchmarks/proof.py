"""Lives of companies in which everything goes wrong, the promises checked after every step.

    python -m benchmarks.proof [--steps 100000] [--seed 1]

Each life is up to fifty random steps of `tests/proof`: people come, go and change, reads fail and
lie, files are edited, runs are killed with SIGKILL or lose their disk, clocks jump, backups are
restored, Okta imports. It ends with a quiet evening, after which Okta must have everybody who is
active in the source and nobody else. Any broken promise is told with the steps that led to it, and
it ends with 1.
"""

from __future__ import annotations

import argparse
import sys
import time
import traceback

from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.proof.life import TALLY, Life

__all__ = ["TALLY", "line", "live"]

_LIVES = 20
"""Lives between two lines of progress."""

_COLUMNS = {
    "steps": 9,
    "runs": 9,
    "kills": 8,
    "kills in a transaction": 8,
    "broken": 8,
    "imports": 9,
    "removals": 10,
    "evenings": 10,
    "restores": 10,
}
HEADINGS = (
    "    steps     runs   kills  within  failed  imports  removals  evenings  restores  minutes"
)


def line(seconds: float) -> str:
    """What has happened so far."""
    counts = "".join(f"{TALLY[name]:>{width},}" for name, width in _COLUMNS.items())
    return f"{counts}{seconds / 60:>9.1f}"


def live(seed: int, lives: int, steps: int) -> bool:
    """Some lives of so many steps; whether every promise was kept."""
    Life._hypothesis_internal_use_seed = seed
    chosen = settings(
        max_examples=lives,
        stateful_step_count=steps,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
    )
    try:
        run_state_machine_as_test(Life, settings=chosen)
    except Exception:
        traceback.print_exc(file=sys.stdout)
        return False
    return True


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.proof")
    parser.add_argument("--steps", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    begun = time.monotonic()
    broken, seed = 0, asked.seed
    print(HEADINGS, flush=True)
    while TALLY["steps"] < asked.steps:
        broken += not live(seed, _LIVES, 50)
        seed += 1
        print(line(time.monotonic() - begun), flush=True)
    print("every promise was kept" if not broken else f"promises were broken {broken} times")
    sys.exit(bool(broken))


if __name__ == "__main__":
    main()
