"""The proof: whatever happens to a company, the promises hold after every step."""

from __future__ import annotations

from pathlib import Path

from hypothesis import HealthCheck, Phase, settings

from tests.proof.company import Simulated, person
from tests.proof.life import Life
from tests.proof.runs import KILLED, Runs

WITHIN = 20
"""Kills that must have hit a write transaction."""

TestLife = Life.TestCase
TestLife.settings = settings(
    max_examples=15,
    stateful_step_count=40,
    deadline=None,
    derandomize=True,  # the same lives each time; `benchmarks.proof` lives others
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # shrinking would take minutes
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


def test_no_page_of_before_a_restore_is_served_after_it(tmp_path: Path) -> None:
    source = Simulated(tmp_path / "statements")
    source.put(person(1))
    bridged = Runs(tmp_path, source)
    bridged.run("full")
    before, backup = bridged.answers(), bridged.back_up()
    source.put(person(2))
    bridged.run("full")
    assert bridged.answers() != before
    bridged.restore(backup)
    source.delete("P2")
    bridged.run("full")
    assert bridged.answers() == before
    bridged.close()


def test_a_run_killed_at_any_operation_leaves_one_whole_state_and_the_next_one_goes_on(
    tmp_path: Path,
) -> None:
    source = Simulated(tmp_path / "statements")
    for number in range(1, 11):
        source.put(person(number))
    bridged = Runs(tmp_path, source)
    assert bridged.run("full").report
    source.put(person(11))
    source.change("P3", end="2026-06-14")
    source.change("P2", title="Chief")
    outcomes, _ = bridged.outcomes("changes", "test", *KILLED)
    at = within = 0
    killed = True
    while killed:
        at += 1
        bridged.put_back()
        ended = bridged.killed("changes", "test", at)
        killed, within = ended.killed, within + ended.within
        assert bridged.answers() in outcomes, at
        ended = bridged.run("changes")
        assert ended.report, at
        assert ended.report.exit_code == 0, at
        assert bridged.answers() == outcomes[-1], at
    bridged.close()
    print(f"{at - 1} kills, {within} of them inside a write transaction")
    assert within >= WITHIN
