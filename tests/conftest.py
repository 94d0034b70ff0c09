"""What holds for every test."""

from __future__ import annotations

import pytest
from hypothesis import settings

# Slow machines are no fault of the code: no example has a deadline.
settings.register_profile("bridge", deadline=None)
settings.load_profile("bridge")

pytest.register_assert_rewrite("tests.sources.contract")
