"""`bridge source remove`, as an operator runs it."""

from __future__ import annotations

from tests.cli.conftest import Cli


def test_a_source_is_removed_through_a_plan_and_comes_back_with_its_file(cli: Cli) -> None:
    cli("sync")
    text = cli.bridge.file.read_text()
    assert (
        "is still there: take it out of the folder first"
        in cli("source", "remove", "hr", code=2).err
    )
    assert "there is no source 'xx': there are hr" in cli("source", "remove", "xx", code=2).err
    cli.bridge.file.unlink()
    removed = cli("source", "remove", "hr", code=3)
    assert "5 no longer in the source" in removed.out
    assert all(row["active"] for row in cli("people", "--json").json)
    (plan,) = cli("plan", "list", "--json").json
    cli("plan", "approve", plan["hash"])
    assert not any(row["active"] for row in cli("people", "--json").json)
    cli.bridge.file.write_text(text)
    back = cli("sync", "--json", code=3).json
    assert back["held"] == {"reactivated": 5}
    (plan,) = cli("plan", "list", "--json").json
    cli("plan", "approve", plan["hash"])
    assert all(row["active"] for row in cli("people", "--json").json)


def test_a_removal_that_was_rejected_may_be_asked_for_again(cli: Cli) -> None:
    cli("sync")
    cli.bridge.file.unlink()
    cli("source", "remove", "hr", code=3)
    cli("plan", "reject", cli.plan())
    assert "5 no longer in the source" in cli("source", "remove", "hr", code=3).out
    cli("plan", "approve", cli.plan())
    assert not any(row["active"] for row in cli("people", "--json").json)


def test_a_restored_store_waits_for_a_source_whose_file_is_gone_until_it_is_removed(
    cli: Cli,
) -> None:
    """Who left it since the backup would be active again."""
    text = cli.bridge.file.read_text()
    guests = cli.bridge.file.with_name("guests.yaml")
    export = cli.bridge.export.with_name("guests.csv")
    export.write_text(cli.bridge.export.read_text().replace("@", "@guests."))
    guests.write_text(
        text.replace("name: hr", "name: guests").replace(cli.bridge.export.name, export.name)
    )
    cli("sync")
    cli("backup", "then.db")
    cli.bridge.file.unlink()
    cli("restore", "then.db", "--replace")
    cli("sync", "guests", "--full")
    assert "Nobody is served" in cli("status").out
    cli("source", "remove", "hr", code=3)
    cli("plan", "approve", cli.plan())
    assert "People are served" in cli("status").out
