"""The daemon's log says what is new, once, and warns of certificates in time."""

from __future__ import annotations

from datetime import timedelta

from structlog.testing import capture_logs

from bridge.sync.endings import Endings
from bridge.sync.report import Report
from bridge.sync.telling import Telling
from tests.store.company import NOON

DAY = timedelta(days=1)


def test_a_certificate_is_warned_of_at_each_step_once() -> None:
    certificates, ends = Endings(), NOON + 40 * DAY
    with capture_logs() as logged:
        for hours in range(0, 42 * 24, 6):
            certificates.look("hr", ends, NOON + timedelta(hours=hours))
    assert [(line["days"], line["log_level"]) for line in logged] == [
        (30, "warning"), (14, "warning"), (7, "warning"), (1, "warning"), (0, "error"),
    ]  # fmt: skip
    assert logged[0]["ends"] == "2026-08-10 12:00 UTC"


def test_a_new_certificate_begins_anew_and_none_is_nothing_to_tell() -> None:
    certificates = Endings()
    with capture_logs() as logged:
        for ends in (NOON + DAY, NOON + 90 * DAY, NOON + DAY, None):
            certificates.look("web", ends, NOON)
    assert [line["days"] for line in logged] == [1, 1]


def test_a_password_is_warned_of_as_a_certificate_is() -> None:
    passwords = Endings("a password")
    with capture_logs() as logged:
        passwords.look("corp", NOON + 7 * DAY, NOON)
        passwords.look("corp", NOON - DAY, NOON)
    assert [(line["event"], line["of"]) for line in logged] == [
        ("a password ends soon", "corp"), ("a password has ended", "corp"),
    ]  # fmt: skip


def test_a_fault_and_a_trouble_are_told_once_until_they_are_over() -> None:
    telling = Telling()
    with capture_logs() as logged:
        for _ in range(2):
            telling.faults({"hr.yaml:1:1: wrong"})
            telling.trouble("cannot sync", "no disk", source="hr")
            telling.trouble("cannot sync", "no disk", source="ad")
        telling.well("cannot sync", source="hr")
        telling.trouble("cannot sync", "no disk", source="hr")
    assert [line.get("source", line.get("fault")) for line in logged] == [
        "hr.yaml:1:1: wrong", "hr", "ad", "hr",
    ]  # fmt: skip


def test_a_run_is_told_if_it_brought_news_or_stands_otherwise_than_before() -> None:
    telling = Telling()
    with capture_logs() as logged:
        for report in (
            Report("hr", 1, "changes", "COMPLETE"),
            Report("hr", 2, "changes", "COMPLETE"),
            Report("hr", 3, "changes", "INCOMPLETE", "cut off"),
            Report("hr", 4, "changes", "INCOMPLETE", "cut off"),
            Report("hr", 5, "changes", "COMPLETE", changed=1),
        ):
            telling.report(report)
    told = [(line["run"], line["log_level"]) for line in logged if line["log_level"] != "debug"]
    assert told == [(1, "info"), (3, "warning"), (5, "info")]


def test_that_most_people_have_problems_is_told_when_it_begins_and_when_it_is_over() -> None:
    telling = Telling()
    with capture_logs() as logged:
        for count in (0, 251, 250, 0, 0, 12):
            telling.troubled("hr", count)
        telling.troubled("ad", 0)
    assert [(line["log_level"], line.get("people")) for line in logged] == [
        ("warning", 251), ("info", None), ("warning", 12),
    ]  # fmt: skip
    assert logged[0]["event"] == "many people cannot be served as the source has them"
    assert logged[1]["event"] == "people are served again as the source has them"
