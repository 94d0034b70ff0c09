"""Steps: what a record may cost. Whatever could take long is paid for, here.

A step is a few microseconds at the worst; the frame holds how many are left.
"""

from __future__ import annotations

from typing import Any

from bridge.errors import EntryFault
from bridge.mapping.scope import STEPS, Frame
from bridge.mapping.values import MAX_STEPS

ELEMENTS_A_STEP = 8
SIZED = frozenset({str, bytes, list})


def pay(frame: Frame, steps: int) -> None:
    """Take steps from those that the record has left. Raises `EntryFault` where it has none."""
    frame[STEPS] -= steps
    if frame[STEPS] < 0:
        raise EntryFault(f"takes more than {MAX_STEPS:,} steps")


def pay_for(frame: Frame, value: Any, toll: int) -> None:
    """Pay for a value of `SIZED`: a list by its elements, the rest by ``toll`` 1,024ths each."""
    if value.__class__ is list:
        pay(frame, len(value) // ELEMENTS_A_STEP)
    else:
        pay(frame, len(value) * toll >> 10)
