"""A short proof, and that a broken promise is told."""

from __future__ import annotations

from unittest.mock import patch

import pytest

from benchmarks import proof
from tests.proof.promises import Promises


def test_some_lives_keep_every_promise_and_are_counted() -> None:
    before = proof.TALLY["steps"]
    assert proof.live(seed=1, lives=2, steps=10)
    assert proof.TALLY["steps"] > before
    assert len(proof.line(60.0)) == len(proof.HEADINGS)


def test_a_broken_promise_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    def breaks(*_: object) -> None:
        raise AssertionError("promise 1")

    with patch.object(Promises, "look", breaks):
        assert not proof.live(seed=1, lives=2, steps=10)
    assert "promise 1" in capsys.readouterr().out
