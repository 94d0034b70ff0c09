"""The log of the daemon: JSON lines for collectors, short plain lines on a terminal."""

from __future__ import annotations

import logging
import sys
from textwrap import indent
from typing import Any, TextIO

import orjson
import structlog
from structlog.typing import EventDict, WrappedLogger

from bridge.cli.output import escaped, one_line, printable
from bridge.settings import Settings


def configure(settings: Settings, stream: TextIO = sys.stderr) -> None:
    """Log to ``stream`` from now on, other libraries' warnings included."""
    level = getattr(logging, settings.log.upper())
    terminal = stream.isatty()
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="%H:%M:%S", utc=False)
        if terminal
        else structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    last: structlog.typing.Processor = _line if terminal else _json
    structlog.configure(
        processors=[*shared, last],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(stream),
    )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, last],
        )
    )
    logging.basicConfig(handlers=[handler], level=max(level, logging.WARNING), force=True)
    # It warns of every run that is put off because the one before it takes long.
    logging.getLogger("apscheduler").setLevel(logging.ERROR)


def _json(logger: WrappedLogger, method: str, event: EventDict) -> str:
    line = orjson.dumps(event, default=repr, option=orjson.OPT_NON_STR_KEYS).decode()
    return escaped(line)


def _line(logger: WrappedLogger, method: str, event: EventDict) -> str:
    """Time, what happened and the facts, such as ``12:30:00 synced source=hr written=3``."""
    level = event.pop("level")
    words = [event.pop("timestamp"), *([level] if level != "info" else []), event.pop("event")]
    trace = event.pop("exception", "")
    words += [f"{name}={_fact(value)}" for name, value in event.items()]
    line = one_line(" ".join(map(str, words)))
    return f"{line}\n{indent(printable(trace), '    ')}" if trace else line


def _fact(value: Any) -> str:
    if isinstance(value, dict):
        return ",".join(f"{name}:{each}" for name, each in value.items())
    if isinstance(value, list | tuple):
        return ",".join(map(str, value))
    text = str(value)
    return f"'{text}'" if " " in text else text
