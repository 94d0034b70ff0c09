"""Of somebody erased nothing is left but the place, until the source has the person again."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from bridge.model import USER_URN, Kind, resource_id
from bridge.store import backup, erasures, overrides, relinks
from tests.sync.conftest import person

PERSONAL = ("First4", "Last4", "p4@example.com")


@pytest.fixture
def left(company):
    """A company whose fourth person has left."""
    company.update("full")
    company.okta_imports()
    del company.rows["P4"]
    company.update("full")
    company.okta_imports()
    return company


def erase(company, key="P4"):
    with company.store.write() as connection:
        erasures.ask(connection, company.source_id, key, "ann", company.now)
    return company.sync("decide")


def everything(company) -> str:
    """All that the store holds, as text."""
    with company.store.read() as connection:
        tables = connection.execute(text("SELECT name FROM sqlite_master WHERE type='table'"))
        return "\n".join(
            str(row)
            for (name,) in tables.all()
            for row in connection.execute(text(f"SELECT * FROM {name}"))
        )


def rows(company):
    with company.client() as client:
        return client.get("/scim/v2/Users?count=1000").json()["Resources"]


def row_of(company, key="P4"):
    id = resource_id(Kind.USER, company.name, key)
    return next(row for row in rows(company) if row["id"] == id)


def test_nothing_is_left_but_the_place(left):
    before = rows(left)
    assert any(value in everything(left) for value in PERSONAL)
    assert erase(left).written == 1
    assert not any(value in everything(left) for value in PERSONAL)
    after = rows(left)
    assert [row["id"] for row in after] == [row["id"] for row in before]
    erased = row_of(left)
    assert erased.pop("meta")
    assert erased == {
        "schemas": [USER_URN],
        "id": erased["id"],
        "userName": f"{erased['id']}@erased.invalid",
        "active": False,
    }
    imported = left.okta_imports()
    assert (imported.removed, imported.created, imported.updated) == (set(), set(), set())


def test_the_account_of_what_happened_stays(left):
    erase(left)
    assert [row.action for row in left.audit("P4")] == ["erased", "deactivated"]


def test_it_stays_so_whatever_is_decided_later(left):
    erase(left)
    left.write_mapping(("title: title", "title: first"))
    left.update("full")
    assert row_of(left)["userName"].endswith("@erased.invalid")


def test_who_comes_back_has_the_id_and_the_place_of_before(left):
    id = row_of(left)["id"]
    erase(left)
    left.people(10)
    left.update("full")
    back = row_of(left)
    assert (back["id"], back["userName"], back["active"]) == (id, "p4@example.com", True)
    del left.rows["P4"]
    left.update("full")
    assert row_of(left)["userName"] == "p4@example.com", "the word was for that time alone"


def test_an_erasure_outlives_a_restore(left):
    backup.save(left.store, left.folder / "copy.db", lambda step, done: None)
    erase(left)
    backup.load(left.store, left.folder / "copy.db", left.now, lambda step, done: None, True)
    left.sync("full")
    assert row_of(left)["userName"].endswith("@erased.invalid")
    assert not any(value in everything(left) for value in PERSONAL)


def test_whoever_refers_to_somebody_erased_refers_to_nobody(company):
    company.rows["P5"]["boss"] = "P4"
    company.update("full")
    del company.rows["P4"]
    company.update("full")
    erase(company)
    assert "manager" not in str(row_of(company, "P5"))


def restored(company):
    backup.load(company.store, company.folder / "b.db", company.now, lambda *_: None, replace=True)
    return company.sync("changes")


def test_an_override_of_before_gives_nobody_erased_access_after_a_restore(left):
    left.override("P4", True)
    left.sync("decide")
    assert row_of(left)["active"]
    backup.save(left.store, left.folder / "b.db", lambda *_: None)
    with left.store.write() as connection:
        overrides.end(connection, left.source_id, "P4", left.now)
    left.sync("decide")
    erase(left)
    assert restored(left).held == {}
    assert not row_of(left)["active"]
    assert row_of(left)["userName"].endswith("@erased.invalid")


def test_however_many_were_erased_since_a_backup_all_are_again(company):
    company.update("full")
    backup.save(company.store, company.folder / "b.db", lambda *_: None)
    for number in (4, 5, 6):
        del company.rows[f"P{number}"]
    company.update("full")
    company.approve()
    for number in (4, 5, 6):
        erase(company, f"P{number}")
    assert restored(company).held == {}
    for number in (4, 5, 6):
        row = row_of(company, f"P{number}")
        assert (row["active"], row["userName"]) == (False, f"{row['id']}@erased.invalid")


def test_whoever_is_back_without_a_name_waits_for_one(left):
    erase(left)
    left.rows["P11"] = person(11, mail="p4@example.com")
    left.update("full")
    left.rows["P4"] = person(4)
    left.update("full")
    assert not row_of(left)["active"]
    assert "is taken by somebody else" in left.problems()["P4"]
    left.rows["P11"]["mail"] = "p11@example.com"
    left.update("full")
    assert row_of(left)["active"]
    assert row_of(left)["userName"] == "p4@example.com"


def test_what_a_person_was_under_another_key_is_erased_as_well(left):
    left.rows["P44"] = person(44)
    left.update("full")
    with left.store.write() as connection:
        relinks.set(connection, left.source_id, "P4", "P44", "ann", left.now)
    left.sync("decide")
    del left.rows["P44"]
    left.update("full")
    erase(left)
    assert row_of(left, "P44")["userName"].endswith("@erased.invalid")
    assert not any(value in everything(left) for value in ("Last44", "p44@example.com"))
