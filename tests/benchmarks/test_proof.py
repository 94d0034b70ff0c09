"""A short proof, and that a broken promise is told."""

from __future__ import annotations

from unittest.mock import patch

import pytest

from benchmarks import proof
from tests.proof.promises import Promises


def test_some_lives_keep_every_promise_and_are_counted() -> None:
    kept, tally = proof.live(seed=1, lives=2, steps=10)
    assert kept
    assert tally["steps"] > 0
    assert len(proof.line(tally, 60.0)) == len(proof.HEADINGS)
    assert proof.totals(tally, 0).startswith(f"{tally['steps']} steps")
    assert "no leaver was missed" in proof.totals(tally, 0)


def test_a_broken_promise_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    def breaks(*_: object) -> None:
        raise AssertionError("promise 1")

    with patch.object(Promises, "look", breaks):
        kept, tally = proof.live(seed=1, lives=2, steps=10)
    assert not kept
    assert "promise 1" in capsys.readouterr().out
    assert "no leaver was missed" not in proof.totals(tally, 1)
