"""Mapping files that change under a running daemon, in every way in which files are changed."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from bridge.store import plans, requests
from bridge.store import sources as source_rows
from bridge.store.retention import Keep
from bridge.sync import daemon
from bridge.sync.leadership import leadership
from bridge.sync.run import FULL, Sync
from tests.processes import MAPPING, Bridge, Running, wait_until
from tests.sync.conftest import Company

UPPER = ("department: dept", "department: dept | upper")
NOBODY = ("then: true, reason: employed", "then: false, reason: nobody is")


def edited(*changes: tuple[str, str]) -> str:
    text = MAPPING
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    return text


def live(bridge: Bridge) -> str:
    with bridge.store() as store, store.read() as connection:
        source = source_rows.get(connection, "hr")
    return source.mapping_text if source else ""


def states(bridge: Bridge) -> list[str]:
    with bridge.store() as store, store.read() as connection:
        return [plan.state for plan in plans.listing(connection)][::-1]


@pytest.fixture
def running(bridge: Bridge) -> Iterator[Running]:
    with bridge.start("syncd") as started:
        started.wait_for('"synced"')
        yield started
        assert started.end() == 0
        assert "Traceback" not in "".join(started.err)


def test_a_file_that_is_renamed_over_the_old_one_goes_live(
    bridge: Bridge, running: Running
) -> None:
    new = bridge.file.with_suffix(".new")
    new.write_text(edited(UPPER))
    os.replace(new, bridge.file)
    wait_until(lambda: live(bridge) == edited(UPPER), "the edit")
    assert "is gone" not in "".join(running.err)


def test_an_editor_that_moves_the_old_file_away_first_pauses_nothing(
    bridge: Bridge, running: Running
) -> None:
    bridge.file.rename(bridge.file.with_name("hr.yaml~"))
    bridge.file.write_text(edited(UPPER))
    wait_until(lambda: live(bridge) == edited(UPPER), "the edit")
    assert "is gone" not in "".join(running.err)


def test_a_config_map_goes_live_when_its_link_is_swapped(bridge: Bridge) -> None:
    folder = bridge.file.parent

    def swap(version: str, text: str) -> None:
        (folder / version).mkdir()
        (folder / version / "hr.yaml").write_text(text)
        (folder / "..data_tmp").symlink_to(version)
        os.replace(folder / "..data_tmp", folder / "..data")

    bridge.file.unlink()
    swap("..1", MAPPING)
    bridge.file.symlink_to(Path("..data") / "hr.yaml")
    with bridge.start("syncd") as running:
        running.wait_for('"synced"')
        assert live(bridge) == MAPPING
        swap("..2", edited(UPPER))
        wait_until(lambda: live(bridge) == edited(UPPER), "the edit")
        assert "is gone" not in "".join(running.err)


def test_a_file_cut_short_in_the_middle_is_refused_and_its_rest_goes_live(
    bridge: Bridge, running: Running
) -> None:
    whole = edited(UPPER)
    bridge.file.write_text(whole[: whole.index("user:")])
    running.wait_for("faulty mapping file")
    assert live(bridge) == MAPPING
    bridge.file.write_text(whole)
    wait_until(lambda: live(bridge) == whole, "the edit")


@contextmanager
def term(company: Company) -> Iterator[daemon._Daemon]:
    """A term of the daemon whose looks and runs are the test's."""
    never = threading.Event()
    with leadership(company.store) as epoch:
        sync = Sync(company.store, company.mappings, epoch, lambda: company.now)
        yield daemon._Daemon(sync, never, never, never, Keep(*[timedelta(days=1)] * 3))


def test_a_file_is_taken_for_what_two_looks_agree_on(company: Company) -> None:
    file = company.write_mapping()
    company.update()
    whole = file.read_text()
    half = whole[: whole.index("groups:")]
    with term(company) as watching:
        taken = []
        for text in (whole, half, whole, half + "# more\n", half + "# more\n"):
            file.write_text(text)
            watching._look_at_files()
            assert watching.texts is not None
            taken.append(watching.texts[str(file)][1])
    assert taken == [whole, whole, whole, whole, half + "# more\n"]


def test_a_run_of_the_schedule_has_the_file_as_two_looks_agreed_on_it(company: Company) -> None:
    file = company.write_mapping()
    company.update()
    whole = file.read_text()
    half = whole[: whole.index("groups:")]
    with term(company) as watching:
        watching._look_at_files()
        for look in range(3):
            file.write_text(half)
            watching._run("hr", FULL, "schedule", None)
            assert live_of(company) == (whole if look < 2 else half)
            watching._look_at_files()
        file.unlink()
        watching._run("hr", FULL, "schedule", None)
    with company.store.read() as connection:
        source = source_rows.get(connection, "hr")
    assert source is not None
    assert source.paused == ""


def test_a_daemon_that_starts_while_a_file_is_written_waits_for_its_end(company: Company) -> None:
    file = company.write_mapping()
    company.update()
    whole = file.read_text()
    for rest, looks in ((whole, 2), (whole + "# more\n", 3)):
        file.write_text(whole[: whole.index("groups:")])
        with term(company) as watching:
            watching._look_at_files()
            assert watching.files is None
            file.write_text(rest)
            taken = 1
            while watching.texts is None:
                watching._look_at_files()
                taken += 1
            assert (watching.texts[str(file)][1], taken) == (rest, looks)


def test_who_edits_a_file_and_asks_for_a_sync_gets_one_with_the_edit(company: Company) -> None:
    file = company.write_mapping()
    company.update()
    edit = file.read_text() + "# edited\n"
    with term(company) as watching:
        watching._look_at_files()
        file.write_text(edit)
        with company.store.write() as connection:
            requests.ask(connection, company.source_id, FULL, "ann", company.now)
        asked = []
        for _ in range(3):
            watching._look_at_files()
            watching._look_at_requests()
            asked.append(len(watching.asked))
        assert asked == [0, 1, 1]
        # One that is written all the time keeps nobody waiting for ever.
        with company.store.write() as connection:
            requests.ask(connection, company.source_id, FULL, "ann", company.now)
        asked = []
        for look in range(7):
            file.write_text(f"{edit}# {look}\n")
            watching._look_at_files()
            watching._look_at_requests()
            asked.append(len(watching.asked))
        assert asked == [1, 1, 1, 1, 1, 2, 2]


def live_of(company: Company) -> str:
    with company.store.read() as connection:
        source = source_rows.get(connection, "hr")
    assert source is not None
    return source.mapping_text


def test_several_edits_while_one_is_held_and_back_to_the_old_text(
    bridge: Bridge, running: Running
) -> None:
    bridge.file.write_text(edited(NOBODY))
    wait_until(lambda: states(bridge) == ["held"], "the plan of the first edit")
    bridge.file.write_text(edited(NOBODY, UPPER))
    wait_until(lambda: states(bridge) == ["lapsed", "held"], "the plan of the second one")
    assert live(bridge) == MAPPING
    bridge.file.write_text(edited(UPPER))
    wait_until(lambda: live(bridge) == edited(UPPER), "the third one, which does no harm")
    bridge.file.write_text(edited(NOBODY))
    wait_until(lambda: states(bridge)[-1] == "held", "the plan of the first one again")
    bridge.file.write_text(edited(UPPER))
    wait_until(lambda: states(bridge)[-1] == "lapsed", "the end of that plan")
    assert live(bridge) == edited(UPPER)
    assert all(row["active"] for row in bridge.people().values())
