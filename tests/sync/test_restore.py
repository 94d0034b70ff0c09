"""After a restore nothing is served before every source was read whole and decided on."""

from __future__ import annotations

import pytest

from bridge.store import backup, relinks, requests
from tests.sync.conftest import person


def silent(step, done):
    pass


def answers(company) -> int:
    with company.client() as client:
        return client.get("/scim/v2/Users").status_code


def restore(company):
    backup.load(company.store, company.folder / "backup.db", company.now, silent, replace=True)


@pytest.fixture
def backed_up(company):
    """A company of 40 whose backup was made when everybody was still there."""
    company.people(40)
    company.update("full")
    company.okta_imports()
    backup.save(company.store, company.folder / "backup.db", silent)
    return company


def test_who_left_since_the_backup_is_never_served_as_active_again(backed_up):
    backed_up.leave(7)
    backed_up.update("full")
    backed_up.okta_imports()
    restore(backed_up)
    assert answers(backed_up) == 503
    assert backed_up.okta_imports().failed
    assert backed_up.sync("decide").written == 0
    assert answers(backed_up) == 503
    assert backed_up.sync("changes").verdict == "COMPLETE"
    assert backed_up.inactive() == {"P7"}
    imported = backed_up.okta_imports()
    assert (imported.created, imported.removed, imported.updated) == (set(), set(), set())


def test_an_incomplete_read_opens_nothing(backed_up):
    restore(backed_up)
    backed_up.write_export("")
    assert backed_up.sync("full").verdict == "INCOMPLETE"
    assert answers(backed_up) == 503
    backed_up.update("full")
    assert answers(backed_up) == 200


def test_leavers_who_wait_for_a_word_keep_everything_waiting(backed_up):
    backed_up.leave(*range(5, 12))
    backed_up.update("full")
    backed_up.approve()
    assert len(backed_up.inactive()) == 7
    restore(backed_up)
    assert backed_up.update("full").held
    assert answers(backed_up) == 503
    backed_up.approve()
    assert len(backed_up.inactive()) == 7


def test_newcomers_since_the_backup_get_the_ids_they_had(backed_up):
    backed_up.rows["P41"] = person(41)
    backed_up.update("full")
    before = backed_up.served()["P41"]["id"]
    restore(backed_up)
    backed_up.sync("full")
    assert backed_up.served()["P41"]["id"] == before


def test_newcomers_since_the_backup_who_wait_for_a_word_keep_everything_waiting(backed_up):
    backed_up.people(70)
    assert backed_up.update("full").held == {"new": 30}
    backed_up.approve()
    assert len(backed_up.okta_imports().linked) == 70
    restore(backed_up)
    assert backed_up.update("full").held == {"new": 30}
    assert backed_up.okta_imports().failed
    backed_up.approve()
    assert backed_up.okta_imports().removed == set()


def test_who_came_back_since_the_backup_and_waits_for_a_word_keeps_everything_waiting(company):
    company.people(40)
    company.update("full")
    company.leave(1, 2, 3)
    company.update("full")
    backup.save(company.store, company.folder / "backup.db", silent)
    for number in (1, 2, 3):
        company.rows[f"P{number}"]["end"] = ""
    company.update("full")
    company.approve()
    assert len(company.okta_imports().linked) == 40
    restore(company)
    assert company.update("full").held == {"reactivated": 3}
    assert company.okta_imports().failed
    company.approve()
    assert company.okta_imports().removed == set()


def one_leaves(company):
    company.leave(7)


def a_department_moves(company):
    for number in range(1, 60, 2):
        company.rows[f"P{number}"]["dept"] = "1"


def ten_marry(company):
    for number in range(1, 11):
        company.rows[f"P{number}"]["mail"] = f"new{number}@example.com"


@pytest.mark.parametrize(
    ("happened", "kind"),
    [(one_leaves, "protected"), (a_department_moves, "memberships"), (ten_marry, "renamed")],
)
def test_whatever_waits_for_a_word_keeps_everything_waiting(company, happened, kind):
    """Okta knows of it already: to serve what was before would take it back."""
    company.limits = "limits: { first_load: publish }\nprotect: [P7]"
    company.write_mapping()
    company.people(60)
    company.update("full")
    backup.save(company.store, company.folder / "backup.db", silent)
    happened(company)
    company.update("full")
    company.approve()
    restore(company)
    assert set(company.sync("full").held) == {kind}
    assert answers(company) == 503
    company.approve()
    assert answers(company) == 200


def test_a_relink_outlives_a_restore(backed_up):
    del backed_up.rows["P4"]
    backed_up.update("full")
    backed_up.rows["P44"] = person(44)
    backed_up.update("full")
    with backed_up.store.write() as connection:
        relinks.set(connection, backed_up.source_id, "P4", "P44", "ann", backed_up.now)
    backed_up.sync("decide")
    before = backed_up.okta_imports()
    restore(backed_up)
    backed_up.sync("full")
    after = backed_up.okta_imports()
    assert (after.linked.keys(), after.removed) == (before.linked.keys(), set())


def test_what_commands_asked_of_the_store_before_is_asked_no_more(backed_up):
    with backed_up.store.write() as connection:
        requests.ask(connection, backed_up.source_id, "full", "ann", backed_up.now)
    restore(backed_up)
    with backed_up.store.read() as connection:
        assert requests.pending(connection) == []
