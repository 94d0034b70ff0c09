"""`bridge erase`, as an operator runs it."""

from __future__ import annotations

from tests.cli.conftest import Cli


def test_somebody_who_left_is_erased_and_nobody_else(cli: Cli) -> None:
    cli("sync")
    assert "is still in the source 'hr'" in cli("erase", "P2", code=2).err
    assert "nobody is called" in cli("erase", "nobody@example.com", code=2).err
    del cli.bridge.rows["P2"]
    cli.bridge.write()
    cli("sync", "--full")
    assert "Nothing is left of this person but number 2" in cli("erase", "P2").out
    (erased,) = (row for row in cli("people", "--json").json if row["key"] == "P2")
    assert erased["userName"] == f"{erased['id']}@erased.invalid"
    assert (erased["active"], erased["reason"]) == (False, "erased")
    assert cli("erase", erased["id"], "--json").json == erased
    said = cli("activate", erased["id"], "--reason", "by mistake", code=2)
    assert "was erased: there is nobody left to override" in said.err
