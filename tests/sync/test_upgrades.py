"""The bridge is upgraded, and the preset that a live file extends is another one from then on."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from bridge.mapping import presets
from bridge.sync import catalog
from tests.sync.conftest import Company

Upgrade = Callable[[str, str], None]

FILE = """\
version: 1
name: hr
extends: hr-csv
source:
  path: people.csv
  settle: 0 seconds
  columns:
    person_id: id
    first_name: first
    last_name: last
    work_email: mail
    job_title: title
    department: dept
    manager_id: boss
    start_date: end
    last_day: end
limits: { first_load: publish }
"""


@pytest.fixture
def upgrade(company: Company, monkeypatch: pytest.MonkeyPatch) -> Iterator[Upgrade]:
    """A company that is served by a preset; gives what ships another one."""
    (company.mappings / "hr.yaml").write_text(FILE)
    company.update()

    def ship(old: str, new: str) -> None:
        text = presets.text("hr-csv")
        assert old in text
        monkeypatch.setattr(presets, "text", lambda name: text.replace(old, new))
        catalog._compiled.cache_clear()  # as a start of the new version does

    yield ship
    catalog._compiled.cache_clear()


NOBODY = ("otherwise: { then: true, reason: employed }", "otherwise: { then: false, reason: none }")


def test_people_stay_as_they_are_where_the_limits_hold_it(
    company: Company, upgrade: Upgrade
) -> None:
    before = company.served()
    assert len(before) == 10
    upgrade(*NOBODY)
    report = company.sync()
    assert (report.exit_code, report.held) == (3, {"edited": 10})
    assert company.plan().purpose == "edit"
    assert company.served() == before


def test_the_source_goes_on_with_the_preset_of_before(company: Company, upgrade: Upgrade) -> None:
    upgrade(*NOBODY)
    company.sync()
    company.leave(2)
    assert company.update().counts == {"disabled": 1}
    assert company.inactive() == {"P2"}


def test_an_approval_lets_the_new_preset_go_live(company: Company, upgrade: Upgrade) -> None:
    upgrade(*NOBODY)
    company.sync()
    assert company.approve().exit_code == 0
    assert len(company.inactive()) == 10


def test_a_change_within_the_limits_goes_live_as_an_edit(
    company: Company, upgrade: Upgrade
) -> None:
    upgrade("title: job_title", "title: job_title | upper")
    assert company.sync().written == 10
    assert {row["title"] for row in company.served().values()} == {"CLERK"}
    assert company.sync().written == 0


def test_a_preset_that_is_no_longer_shipped_is_told_and_the_live_one_goes_on(
    company: Company, upgrade: Upgrade, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(presets, "names", lambda: ("openldap",))
    catalog._compiled.cache_clear()
    company.leave(2)
    report = company.update()
    assert report.exit_code == 5
    assert "there is no preset 'hr-csv'" in report.faults[0]
    assert report.counts == {"disabled": 1}


def test_another_key_in_the_preset_is_refused_as_in_the_file(
    company: Company, upgrade: Upgrade
) -> None:
    before = company.served()
    upgrade("key: person_id", "key: work_email")
    report = company.sync()
    assert report.exit_code == 5
    assert "the key of a live source cannot be edited" in report.faults[0]
    assert company.served() == before
