"""What holds for every test."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import settings

from tests.processes import Bridge

# Slow machines are no fault of the code: no example has a deadline.
settings.register_profile("bridge", deadline=None)
settings.load_profile("bridge")

pytest.register_assert_rewrite("tests.sources.contract")


@pytest.fixture
def bridge(tmp_path: Path) -> Bridge:
    """Five people in an export and a mapping, in an empty folder; nothing runs yet."""
    return Bridge(tmp_path)
