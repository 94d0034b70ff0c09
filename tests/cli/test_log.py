"""What a line of the log is, whatever stands in it."""

from __future__ import annotations

import io
import json
import logging
import re
from collections.abc import Iterator

import pytest
import structlog

from bridge.cli import log
from bridge.settings import Settings

HOSTILE = "here\x1b[31mred\x9b31m\nFORGED level=error\r\u2028FORGED\u202egnp"
CONTROL = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u202e]")


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(params=[Terminal, io.StringIO], ids=["terminal", "collector"])
def stream(request: pytest.FixtureRequest) -> Iterator[io.StringIO]:
    made = request.param()
    handlers, level = logging.root.handlers[:], logging.root.level
    log.configure(Settings(log="debug"), made)
    yield made
    structlog.reset_defaults()
    logging.root.handlers[:] = handlers
    logging.root.setLevel(level)


def test_nothing_that_others_wrote_begins_a_line_or_a_colour(stream: io.StringIO) -> None:
    structlog.get_logger().info(
        HOSTILE, reason=HOSTILE, held={HOSTILE: 3}, faults=[HOSTILE, HOSTILE]
    )
    logging.getLogger("another").warning("it said %s", HOSTILE)
    written = stream.getvalue()
    assert written.count("\n") == 2
    assert not CONTROL.search(written)
    assert written.count("FORGED") == 12


def test_a_traceback_is_shown_without_its_commands_and_begins_no_line(
    stream: io.StringIO,
) -> None:
    try:
        raise ValueError(HOSTILE)
    except ValueError:
        structlog.get_logger().debug("a fault", exc_info=True)
    written = stream.getvalue()
    assert "ValueError: here" in written
    assert not CONTROL.search(written)
    assert not re.search("^FORGED", written, re.MULTILINE)


def test_what_a_collector_reads_is_what_was_told() -> None:
    stream = io.StringIO()
    log.configure(Settings(), stream)
    try:
        structlog.get_logger().info("told", reason=HOSTILE)
    finally:
        structlog.reset_defaults()
    told = json.loads(stream.getvalue())
    assert (told["event"], told["reason"]) == ("told", HOSTILE)
