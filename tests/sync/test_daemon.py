"""The sync role as a process: schedule, files, requests, and the lease."""

from __future__ import annotations

import signal
import sqlite3
from collections.abc import Iterator
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import update

from bridge.store import lease, requests, runs
from bridge.store import sources as source_rows
from bridge.store.tables import RunRow, SourceRow, table
from bridge.sync.leadership import utc_now
from tests.processes import Bridge, Running, person, wait_until
from tests.servers.postgres import (  # noqa: F401
    Server,
    postgres,
    postgres_server,
    postgres_template,
)

TTL = timedelta(seconds=8)
DAEMON = f"""\
from datetime import timedelta
from bridge import app, settings
from bridge.cli import log
loaded = settings.load()
log.configure(loaded)
app.run_syncd(loaded, lease_ttl=timedelta(seconds={TTL.total_seconds()}))
"""


def daemon(bridge: Bridge) -> AbstractContextManager[Running]:
    return bridge.start(code=DAEMON)


@pytest.fixture
def running(bridge: Bridge) -> Iterator[Running]:
    """A daemon that has loaded everybody."""
    with daemon(bridge) as started:
        started.wait_for('"synced"')
        yield started
        assert started.end() == 0
        assert "Traceback" not in "".join(started.err)


def names(bridge: Bridge) -> set[str]:
    return {row["userName"] for row in bridge.people().values()}


def run_modes(bridge: Bridge) -> list[str]:
    with bridge.store() as store, store.read() as connection:
        found = connection.execute(table(RunRow).select().order_by(table(RunRow).c.id))
        return [row.mode for row in found]


# -- files -------------------------------------------------------------------------------------


def test_a_good_edit_goes_live_by_itself(bridge: Bridge, running: Running) -> None:
    bridge.edit("department: dept", "department: dept | upper")
    with bridge.store() as store:

        def live() -> bool:
            with store.read() as connection:
                source = source_rows.get(connection, "hr")
            return source is not None and "dept | upper" in source.mapping_text

        wait_until(live, "the edit")


def test_a_faulty_edit_is_told_once_with_its_place_and_the_live_one_goes_on(
    bridge: Bridge, running: Running
) -> None:
    bridge.edit("mail | lower, required", "mail | louder, required")
    line = running.wait_for("faulty mapping file")
    assert "hr.yaml:20:28:" in line
    assert "louder" in line
    bridge.rows["P6"] = person(6)
    bridge.write()
    wait_until(lambda: "P6" in bridge.people(), "the newcomer")
    bridge.rows["P7"] = person(7)
    bridge.write()
    wait_until(lambda: "P7" in bridge.people(), "another one")
    assert len([line for line in running.err if "louder" in line]) == 1


def test_another_name_for_a_live_source_is_refused(bridge: Bridge, running: Running) -> None:
    before = bridge.people()
    bridge.edit("name: hr", "name: people")
    line = running.wait_for("faulty mapping file")
    assert "hr.yaml:2:1: the name of the live source 'hr' cannot be edited" in line
    ran = bridge.run("sync")
    assert ran.returncode == 5
    assert ran.stderr.count("cannot be edited") == 1
    assert bridge.people() == before
    bridge.edit("name: people", "name: hr")
    assert bridge.json("sync")["exit_code"] == 0


def test_a_file_may_be_called_otherwise(bridge: Bridge, running: Running) -> None:
    bridge.file.rename(bridge.file.with_name("people.yaml"))
    bridge.rows["P6"] = person(6)
    bridge.write()
    wait_until(lambda: "P6" in bridge.people(), "the newcomer")
    assert {row["source"] for row in bridge.people().values()} == {"hr"}


def test_a_file_that_is_gone_pauses_its_source_until_it_is_back(
    bridge: Bridge, running: Running
) -> None:
    text = bridge.file.read_text()
    bridge.file.unlink()
    running.wait_for("is gone")
    wait_until(lambda: bridge.json("status")["sources"][0]["paused"], "the pause")
    assert len(bridge.people()) == 5
    bridge.file.write_text(text)
    wait_until(lambda: not bridge.json("status")["sources"][0]["paused"], "the end of the pause")


def test_a_file_that_is_added_is_loaded(bridge: Bridge, running: Running) -> None:
    text = bridge.file.read_text().replace("name: hr", "name: partners")
    (bridge.file.parent / "partners.yaml").write_text(text.replace("people.csv", "partners.csv"))
    (bridge.file.parent / "partners.csv").write_text(
        bridge.export.read_text().replace("P", "X").replace("p", "x").replace("dext", "dept")
    )
    wait_until(lambda: len(bridge.people()) == 10, "the partners")


def test_an_edit_during_a_run_is_not_lost(bridge: Bridge) -> None:
    """The run waits for the export to be still, and no other is due for hours."""
    bridge.edit("changes: 1 second", "changes: 6 hours")
    with daemon(bridge) as running:
        running.wait_for('"synced"')
        bridge.edit("settle: 0 seconds", "settle: 4 seconds")
        bridge.write()

        def waits() -> bool:
            with bridge.store() as store, store.read() as connection:
                last = runs.latest(connection, 1)
            return last is not None and last.id == 2 and last.ended_at is None

        wait_until(waits, "the run that waits")
        bridge.edit("department: dept", "department: dept | upper")

        def live() -> bool:
            with bridge.store() as store, store.read() as connection:
                source = source_rows.get(connection, "hr")
            return source is not None and "dept | upper" in source.mapping_text

        wait_until(live, "the edit")


def test_a_folder_that_is_away_for_a_while_stops_nothing(bridge: Bridge, running: Running) -> None:
    away = bridge.file.parent.with_name("away")
    bridge.file.parent.rename(away)
    running.wait_for("is not a folder")
    away.rename(bridge.file.parent)
    bridge.rows["P6"] = person(6)
    bridge.write()
    wait_until(lambda: "P6" in bridge.people(), "the newcomer")


# -- time --------------------------------------------------------------------------------------


def test_a_date_that_passes_is_acted_on_although_the_file_is_as_it_was(
    bridge: Bridge, running: Running
) -> None:
    end = datetime.now(UTC) + timedelta(seconds=6)
    bridge.rows["P2"]["end"] = f"{end:%Y-%m-%d %H:%M:%S}"
    bridge.rows["P6"] = person(6)
    bridge.write()
    wait_until(lambda: "P6" in bridge.people(), "the read")
    wait_until(lambda: not bridge.people()["P2"]["active"], "the last day")
    assert bridge.people()["P2"]["reason"] == "last day has passed"


def test_a_complete_read_that_was_due_meanwhile_is_made_up_for(bridge: Bridge) -> None:
    with daemon(bridge) as running:
        running.wait_for('"synced"')
        assert running.end() == 0
    with daemon(bridge) as running:
        running.wait_for("leading")
        wait_until(lambda: len(run_modes(bridge)) > 3, "some runs")
        assert running.end() == 0
    assert set(run_modes(bridge)) == {"changes"}
    sources = table(SourceRow)
    with bridge.store() as store, store.write() as connection:
        connection.execute(update(sources).values(complete_at=utc_now() - timedelta(hours=7)))
    with daemon(bridge):
        wait_until(lambda: run_modes(bridge).count("full") == 1, "the complete read")
        count = len(run_modes(bridge))
        wait_until(lambda: len(run_modes(bridge)) > count + 2, "some more runs")
        assert run_modes(bridge).count("full") == 1


def test_a_clock_that_is_set_back_stops_no_read(bridge: Bridge) -> None:
    ahead = (
        "import pathlib, threading, time\nfrom datetime import datetime, UTC\n"
        "import time_machine\n"
        "travel = time_machine.travel(datetime.now(UTC) + timedelta(hours=2))\n"
        "travel.start()\n"
        "def correct():\n"
        "    while not pathlib.Path('correct').exists(): time.sleep(0.1)\n"
        "    travel.stop()\n"
        "threading.Thread(target=correct, daemon=True).start()\n"
    )
    first, rest = DAEMON.split("\n", 1)
    with bridge.start(code=f"{first}\n{ahead}{rest}") as running:
        running.wait_for('"synced"')
        (bridge.folder / "correct").touch()
        running.wait_for("the clock was set back")
        bridge.rows["P6"] = person(6)
        bridge.write()
        wait_until(lambda: "P6" in bridge.people(), "the newcomer")

        def complete() -> bool:
            return "full" in run_modes(bridge) and not bridge.json("status")["unwell"]

        wait_until(complete, "the complete read")
        [told] = running.logged("the clock was set back")
        assert 7100 < told["seconds"] < 7300
        assert running.end() == 0


def test_a_complete_read_that_fails_is_made_again_before_the_schedule_comes_back_to_it(
    bridge: Bridge,
) -> None:
    soon = "from bridge.sync import timetable\ntimetable._AGAIN = timedelta(seconds=1)\n"
    first, rest = DAEMON.split("\n", 1)
    with bridge.start(code=f"{first}\n{soon}{rest}") as running:
        running.wait_for('"synced"')
        good = bridge.export.read_text()
        bridge.export.write_text("id,first\nP1,Ann\n")
        assert bridge.run("sync", "--full").returncode == 4
        wait_until(lambda: run_modes(bridge).count("full") > 2, "the next tries")
        bridge.export.write_text(good)
        wait_until(lambda: running.logged("synced")[-1]["verdict"] == "COMPLETE", "a good read")
        assert running.end() == 0


def test_what_is_too_old_is_forgotten(bridge: Bridge) -> None:
    soon = "from bridge.sync import timetable\ntimetable._FIRST = timedelta(0)\n"
    first, rest = DAEMON.split("\n", 1)
    with daemon(bridge) as running:
        running.wait_for('"synced"')
        assert running.end() == 0
    with bridge.store() as store, store.write() as connection:
        old = utc_now() - timedelta(days=91)
        connection.execute(update(table(RunRow)).values(started_at=old))
        runs.start(connection, 1, "full", "schedule", utc_now())
    with bridge.start(code=f"{first}\n{soon}{rest}") as running:
        running.wait_for("forgot what is old")
        [told] = running.logged("forgot what is old")
        assert told["runs"] == 1
        assert running.end() == 0


def test_a_source_that_stays_as_it_is_makes_no_noise(bridge: Bridge, running: Running) -> None:
    wait_until(lambda: len(run_modes(bridge)) > 4, "some runs")
    assert len(running.logged("synced")) == 1


def test_an_export_whose_dates_cannot_be_read_any_more_is_told(bridge: Bridge) -> None:
    bridge.rows = {f"P{number}": person(number) for number in range(1, 13)}
    bridge.write()
    with daemon(bridge) as running:
        running.wait_for('"synced"')
        good = [row["end"] for row in bridge.rows.values()]
        for row in bridge.rows.values():
            row["end"] = "31/12/2099"
        bridge.write()
        running.wait_for("many people cannot be served as the source has them")
        [unwell] = bridge.json("status")["unwell"]
        assert unwell.startswith("hr: 12 people or records cannot be served as the source has them")
        assert all(row["active"] for row in bridge.people().values())
        for row, end in zip(bridge.rows.values(), good, strict=True):
            row["end"] = end
        bridge.write()
        running.wait_for("people are served again as the source has them")
        assert not bridge.json("status")["unwell"]
        assert len(running.logged("many people cannot be served as the source has them")) == 1
        assert running.end() == 0


# -- requests ----------------------------------------------------------------------------------


def test_a_command_asks_the_daemon_and_reports_what_it_did(
    bridge: Bridge, running: Running
) -> None:
    found = bridge.json("sync", "--full")
    assert found["verdict"] == "COMPLETE"
    assert found["sources"][0]["mode"] == "full"
    assert found["sources"][0]["entries"] == 5
    with bridge.store() as store, store.read() as connection:
        run = runs.get(connection, found["sources"][0]["run"])
        leader = lease.current(connection, utc_now())
    assert run is not None
    assert run.mode == "full"
    assert str(running.process.pid) in str(leader)


def test_the_exit_code_is_that_of_the_daemons_run(bridge: Bridge, running: Running) -> None:
    bridge.export.write_text("id,first\nP1,Ann\n")
    ran = bridge.run("sync")
    assert ran.returncode == 4
    assert "INCOMPLETE" in ran.stdout
    assert all(row["active"] for row in bridge.people().values())


def test_an_override_takes_effect_through_the_daemon(bridge: Bridge, running: Running) -> None:
    found = bridge.json("deactivate", "P3", "--reason", "laptop stolen")
    assert found["active"] is False
    assert bridge.json("override", "end", "p3@example.com")["active"] is True


def test_a_request_for_a_source_that_is_no_more_is_answered(
    bridge: Bridge, running: Running
) -> None:
    with bridge.store() as store:
        with store.write() as connection:
            asked = requests.ask(connection, 99, "full", "ann", utc_now())

        def answered() -> bool:
            with store.read() as connection:
                found = requests.get(connection, asked)
            return found is not None and found.ended_at is not None and found.exit_code == 1

        wait_until(answered, "an answer")
    assert bridge.json("sync")["verdict"] == "COMPLETE"


# -- the lease ---------------------------------------------------------------------------------


def test_the_lease_of_a_daemon_that_was_killed_is_not_waited_for(bridge: Bridge) -> None:
    with bridge.start("syncd") as first:
        first.wait_for("leading")
        first.send(signal.SIGKILL)
        first.wait()
    with bridge.start("syncd") as second:
        second.wait_for("leading")
        assert second.end() == 0
    assert not second.logged("standing by")


def test_the_lease_of_a_machine_that_died_while_its_clock_was_ahead_is_not_waited_for(
    bridge: Bridge,
) -> None:
    with bridge.store() as store, store.write() as connection:
        lease.acquire(connection, "the daemon (process 7 on a)", utc_now() + timedelta(hours=2))
    with daemon(bridge) as running:
        running.wait_for("standing by")
        running.wait_for("leading")
        assert len(running.logged("standing by")) == 1
        assert len(running.logged("the holder of the lease shows no life")) == 1
        assert running.end() == 0


def test_another_daemon_stands_by_and_takes_over_from_one_that_was_killed(bridge: Bridge) -> None:
    with daemon(bridge) as first:
        first.wait_for('"synced"')
        with daemon(bridge) as second:
            second.wait_for("standing by")
            first.send(signal.SIGKILL)
            second.wait_for("leading")
            bridge.rows["P6"] = person(6)
            bridge.write()
            wait_until(lambda: "P6" in bridge.people(), "the newcomer")
            assert len(second.logged("standing by")) == 1


def test_a_daemon_that_was_frozen_and_taken_over_stands_by_when_it_wakes_up(
    bridge: Bridge,
) -> None:
    with daemon(bridge) as first:
        first.wait_for('"synced"')
        with daemon(bridge) as second:
            second.wait_for("standing by")
            first.send(signal.SIGSTOP)
            second.wait_for("leading")
            first.send(signal.SIGCONT)
            first.wait_for("standing by")
            with bridge.store() as store, store.read() as connection:
                assert str(second.process.pid) in str(lease.current(connection, utc_now()))
            second.send(signal.SIGKILL)
            wait_until(lambda: len(first.logged("leading")) == 2, "the first one again")


# -- the end -----------------------------------------------------------------------------------


def test_it_ends_while_it_waits_for_an_export_to_be_still(bridge: Bridge) -> None:
    bridge.edit("settle: 0 seconds", "settle: 600 seconds")
    with daemon(bridge) as running:
        running.wait_for("leading")

        def reads() -> bool:
            with bridge.store() as store, store.read() as connection:
                return runs.latest(connection, 1) is not None

        wait_until(reads, "the run")
        assert running.end() == 0
    with bridge.store() as store, store.read() as connection:
        assert lease.current(connection, utc_now()) is None


def test_it_ends_in_the_middle_of_a_run_and_nothing_is_served_of_it(bridge: Bridge) -> None:
    bridge.rows = {f"P{n}": person(n) for n in range(1, 5001)}
    bridge.write()
    with daemon(bridge) as running:
        running.wait_for("leading")

        def reads() -> bool:
            with bridge.store() as store, store.read() as connection:
                return runs.latest(connection, 1) is not None

        wait_until(reads, "the run")
        assert running.end() == 0
    assert not bridge.people()
    with daemon(bridge) as running:
        running.wait_for('"synced"')
    with bridge.store() as store, store.read() as connection:
        source = source_rows.get(connection, "hr")
    assert source is not None
    assert source.people == 5000


# -- the store ---------------------------------------------------------------------------------


def test_it_goes_on_after_somebody_locked_the_store(bridge: Bridge, running: Running) -> None:
    """For longer than the lease is good."""
    lock = sqlite3.connect(bridge.database, isolation_level=None)
    lock.execute("BEGIN IMMEDIATE")
    bridge.rows["P6"] = person(6)
    bridge.write()
    with bridge.store() as store:

        def expired() -> bool:
            with store.read() as connection:
                return lease.current(connection, utc_now()) is None

        wait_until(expired, "the end of the lease")
    lock.execute("ROLLBACK")
    lock.close()
    wait_until(lambda: "P6" in bridge.people(), "the newcomer")
    assert not running.logged("standing by")


def test_it_goes_on_after_the_database_server_was_out_of_reach(
    bridge: Bridge,
    postgres: str,  # noqa: F811
    postgres_server: Server,  # noqa: F811
) -> None:
    name = postgres.rpartition("/")[2]
    bridge.settings["BRIDGE_DATABASE"] = postgres
    with daemon(bridge) as running:
        running.wait_for('"synced"')
        postgres_server.run(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
        postgres_server.run(
            f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"
        )
        running.wait_for("cannot look at the files")
        bridge.rows["P6"] = person(6)
        bridge.write()
        postgres_server.run(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")
        wait_until(lambda: "P6" in bridge.people(), "the newcomer")
        assert running.end() == 0
    assert "Traceback" not in "".join(running.err)
