"""The kinds of change and the reports of a sync, in words for people."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from bridge.cli.output import counted
from bridge.store import plans
from bridge.sync.read_report import COMPLETE, FAILED, INCOMPLETE
from bridge.sync.rehires import Rehire
from bridge.sync.report import Report

_KINDS = {
    "first_load": "of the first load",
    "absent": "no longer in the source",
    "disabled": "disabled by the source",
    "clock": "that depend on which clock is right",
    "edited": "changed by an edited file",
    "memberships": "memberships removed",
}


def kind(name: str) -> str:
    """A kind of change in words: an extension's attribute without its long URN."""
    first, colon, path = name.partition(":")
    return f"{path.rpartition(':')[2]} emptied" if colon else _KINDS.get(first, first)


def kinds(counts: Mapping[str, int]) -> str:
    """Counts by kind, such as ``5 disabled by the source, 2 new``."""
    return ", ".join(f"{count:,} {kind(name)}" for name, count in sorted(counts.items()) if count)


SHOWN_SUMS = 15


def sums(counts: Counter[str], words: str = "{}") -> Iterator[str]:
    """The largest counts, one a line, and how many others there are."""
    for name, count in counts.most_common(SHOWN_SUMS):
        yield f"  {count:>9,}  {words.format(name)}"
    if len(counts) > SHOWN_SUMS:
        yield f"             and {len(counts) - SHOWN_SUMS:,} others"


def sentences(report: Report) -> Iterator[str]:
    """What a sync did."""
    read = f"{report.verdict}: {report.reason}" if report.reason else report.verdict
    records = counted(report.entries, "record", "records")
    if report.verdict == FAILED:
        yield f"{report.source}: {read}"
        yield "  Nothing could be read: nobody is changed by it, and it is tried again."
    elif report.verdict == INCOMPLETE:
        yield f"{report.source}: {records} read, {read}"
        yield "  Nobody is called absent because of this read; the next one tries again."
    elif report.verdict == COMPLETE and not report.entries and not report.gone:
        yield f"{report.source}: nothing new in the source since the last read ({read})"
    elif report.verdict:
        yield f"{report.source}: {records} read, {_news(report)} ({read})"
    if report.written:
        done = kinds(report.counts)
        people = counted(report.written, "person", "people")
        yield f"  Published {people}" + (f": {done}" if done else "")
    elif report.verdict == COMPLETE and not report.held and not report.plans:
        yield "  Nobody is served differently."
    if report.held:
        yield f"  Held: {kinds(report.held)}"
    for hash in report.plans:
        yield f"  Waits for your word: bridge plan show {hash[: plans.SHOWN]}"
    if report.problems:
        people = counted(report.problems, "person or record", "people or records")
        yield f"  {people} cannot be served as the source has them: bridge status"


def _news(report: Report) -> str:
    """How many records are other than before, and how many are there no more."""
    changed = f"{report.changed:,} new or changed" if report.changed else ""
    gone = f"{report.gone:,} gone" if report.gone else ""
    return ", ".join(filter(None, (changed, gone))) or "none new or changed"


def rehire(found: Rehire) -> Iterator[str]:
    """Who may be somebody who left, and what to do then on a line of its own, to be copied."""
    yield (
        f"{found.new.user_name}, who came lately, may be {found.old.user_name}, who left "
        f"(the same {', '.join(found.by)})."
    )
    yield f"  If it is one person: {found.advice}"
