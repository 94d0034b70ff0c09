"""What becomes of tests whose server is not installed."""

from __future__ import annotations

import os

import pytest


def skip_if(reason: str) -> None:
    """Skip the test that asks, with the reason, if there is one; fail it where every server has
    to be there."""
    if reason and os.environ.get("BRIDGE_REQUIRE_SERVERS") == "1":
        pytest.fail(reason)
    if reason:
        pytest.skip(reason)
