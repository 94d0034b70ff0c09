"""Lives of companies in which everything goes wrong, the promises checked after every step.

    python -m benchmarks.proof [--steps 100000] [--seed 1] [--workers 1]

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
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from itertools import count, islice

from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.proof.life import Life
from tests.proof.watched import TALLY

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
_OTHERS = ("stale leaders", "deactivated", "reactivated")
HEADINGS = (
    "    steps     runs   kills  within  failed  imports  removals  evenings  restores  minutes"
)


def line(tally: Counter[str], seconds: float) -> str:
    """What has happened so far."""
    counts = "".join(f"{tally[name]:>{width},}" for name, width in _COLUMNS.items())
    return f"{counts}{seconds / 60:>9.1f}"


def totals(tally: Counter[str], broken: int) -> str:
    """What happened altogether, a sentence a line."""
    n = {name: f"{tally[name]:,}" for name in (*_COLUMNS, *_OTHERS)}
    told = [
        f"{n['steps']} steps were lived, with {n['runs']} runs of the bridge.",
        f"{n['kills']} runs were killed, {n['kills in a transaction']} within a transaction.",
        f"{n['broken']} runs lost their disk, and {n['stale leaders']} their lease.",
        f"{n['imports']} imports took {n['removals']} people away from Okta.",
    ]
    if broken:
        told.append(f"Broken promises, as told above: {broken}.")
    else:
        told += [
            f"{n['deactivated']} people became inactive and {n['reactivated']} active again: "
            "none of them wrongly.",
            f"{n['evenings']} quiet evenings came: no leaver was missed on any.",
        ]
    return "\n".join(told)


def live(seed: int, lives: int = 20, steps: int = 50) -> tuple[bool, Counter[str]]:
    """Some lives of so many steps; whether every promise was kept, and what happened in them."""
    TALLY.clear()
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
        return False, TALLY
    return True, TALLY


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.proof")
    parser.add_argument("--steps", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=1)
    asked = parser.parse_args()
    begun, seeds = time.monotonic(), count(asked.seed)
    broken, tally = 0, Counter[str]()
    print(HEADINGS, flush=True)
    with ProcessPoolExecutor(asked.workers) as pool:
        while tally["steps"] < asked.steps:
            for kept, happened in pool.map(live, list(islice(seeds, asked.workers))):
                broken += not kept
                tally += happened
            print(line(tally, time.monotonic() - begun), flush=True)
    print(totals(tally, broken))
    sys.exit(bool(broken))


if __name__ == "__main__":
    main()
