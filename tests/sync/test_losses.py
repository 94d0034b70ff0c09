"""An attribute that nobody shows any more: nobody comes back, goes or loses a value by that."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from bridge.model import Batch, Verdict
from bridge.sources.csv import CsvSource
from bridge.store import entries
from tests.sync.conftest import Company, person
from tests.sync.university import uni

__all__ = ["uni"]

LOCK = {"pwdAccountLockedTime": "000001010000Z"}


def lock(uni, uid: str) -> None:
    uni.change(uni.dn(uid), "changetype: modify", "replace: pwdAccountLockedTime",
               "pwdAccountLockedTime: 000001010000Z")  # fmt: skip


def refused(report, *words: str) -> None:
    assert (report.exit_code, report.verdict) == (4, "INCOMPLETE")
    for word in words:
        assert word in report.reason


@pytest.mark.parametrize("name", ["mail", "sn", "manager", "eduPersonAffiliation", "uid"])
def test_who_lost_an_attribute_with_everybody_else_keeps_it_until_it_is_back(uni, name) -> None:
    uni.company.sync("full")
    before = uni.company.served()
    uni.slapd.deny(f"attrs={name}")
    for _ in range(2):
        refused(uni.company.sync("full"), f"{name} (of ", "give the account the right to read it")
        assert uni.company.served() == before
        assert uni.company.problems() == {}
    uni.slapd.deny()
    report = uni.company.sync("changes")
    assert (report.verdict, report.mode, report.written) == ("COMPLETE", "changes", 0)
    assert uni.company.served() == before


def test_leavers_do_not_come_back_when_the_right_to_see_their_lock_is_lost(uni) -> None:
    for uid in ("alice", "boss"):
        lock(uni, uid)
    uni.company.sync("full")
    assert uni.company.inactive() == {"alice", "boss"}
    uni.slapd.deny("attrs=pwdAccountLockedTime")
    refused(uni.company.sync("full"), "pwdAccountLockedTime (of 2 people)")
    assert uni.company.inactive() == {"alice", "boss"}


def test_what_else_is_news_goes_live_and_an_explicit_leaver_too(uni) -> None:
    uni.company.sync("full")
    uni.slapd.deny("attrs=mail")
    uni.change(uni.dn("carol"), "changetype: modify", "replace: sn", "sn: Married")
    lock(uni, "alice")
    uni.change(uni.dn("boss"), "changetype: delete")
    uni.add("dave")
    refused(uni.company.sync("full"), "mail (of 2 people)")
    served = uni.company.served()
    assert served["carol"]["name"]["familyName"] == "Married"
    assert served["carol"]["userName"] == "carol@uni.example"
    assert uni.company.inactive() == {"alice"}, "who is not there proves nothing"
    assert "dave" not in served
    uni.slapd.deny()
    uni.company.sync("full")
    assert uni.company.inactive() == {"alice", "boss"}
    assert uni.company.served()["dave"]["userName"] == "dave@uni.example"


def test_groups_keep_their_members_when_nobody_shows_them_any_more(uni) -> None:
    uni.group("g", "alice", "boss")
    uni.group("h", "carol")
    uni.company.sync("full")
    uni.slapd.deny("attrs=member")
    refused(uni.company.sync("full"), "member (of 2 groups)")
    assert uni.members() == {"g": {"alice", "boss"}, "h": {"carol"}}
    uni.slapd.deny()
    uni.leave("g", "boss")
    assert uni.company.sync("full").verdict == "COMPLETE"
    assert uni.members() == {"g": {"alice"}, "h": {"carol"}}


def test_a_read_of_changes_that_misses_what_nearly_all_have_becomes_a_whole_one(uni) -> None:
    uni.company.sync("full")
    uni.slapd.deny("attrs=mail")
    uni.change(uni.dn("carol"), "changetype: modify", "replace: sn", "sn: Married")
    refused(uni.company.sync("changes"), "mail (of 3 people)")
    assert uni.company.served()["carol"]["emails"][0]["value"] == "carol@uni.example"
    assert uni.company.served()["carol"]["name"]["familyName"] == "Married"


def test_one_person_who_really_lost_something_loses_it_by_a_read_of_changes(uni) -> None:
    uni.add("dave")
    uni.company.sync("full")
    uni.change(uni.dn("dave"), "changetype: modify", "delete: givenName")
    report = uni.company.sync("changes")
    assert (report.verdict, report.entries) == ("COMPLETE", 4), "all were read, to be sure"
    uni.change(uni.dn("alice"), "changetype: modify", "delete: manager")
    report = uni.company.sync("changes")
    assert (report.verdict, report.entries, uni.manager("alice")) == ("COMPLETE", 1, None)


# -- how many are many -----------------------------------------------------------------------------


def clear(company: Company, numbers: range, name: str = "title") -> None:
    for number in numbers:
        company.rows[f"P{number}"][name] = ""


@pytest.mark.parametrize(
    ("having", "losing", "people", "lost"),
    [
        (1, 1, 1, False),
        (2, 2, 2, True),
        (2, 2, 3, True),
        (2, 2, 5, False),
        (5, 5, 10, True),
        (9, 9, 40, False),
        (10, 10, 40, False),
        (20, 20, 40, True),
        (40, 39, 40, True),
        (40, 38, 40, False),
    ],
)
def test_half_of_all_are_many_and_one_in_twenty_of_them_is_nobody(
    company: Company, having: int, losing: int, people: int, lost: bool
) -> None:
    company.limits = "limits: { first_load: publish, emptied: 100% }"
    company.write_mapping()
    company.people(people)
    clear(company, range(having + 1, people + 1))
    company.update()
    clear(company, range(1, losing + 1))
    report = company.update()
    assert report.verdict == ("INCOMPLETE" if lost else "COMPLETE")
    titled = {key for key, row in company.served().items() if "title" in row}
    still = range(1, having + 1) if lost else range(losing + 1, having + 1)
    assert titled == {f"P{number}" for number in still}


@pytest.mark.parametrize(("having", "verdict"), [(9, "COMPLETE"), (10, "INCOMPLETE")])
def test_in_a_directory_ten_are_many(uni, having: int, verdict: str) -> None:
    for number in range(22):
        uni.add(f"u{number}", **({"employeeNumber": "1"} if number < having else {}))
    uni.company.sync("full")
    uni.slapd.deny("attrs=employeeNumber")
    assert uni.company.sync("full").verdict == verdict


def nobody_is_new(company: Company) -> None:
    pass


def some_are_new(company: Company) -> None:
    company.rows |= {f"P{n}": person(n) for n in range(11, 15)}


@pytest.mark.parametrize("others", [nobody_is_new, some_are_new])
def test_an_attribute_that_the_file_does_not_use_may_go(
    company: Company, others: Callable[[Company], None]
) -> None:
    company.write_mapping(("  title: title\n", ""), ("title == 'Test'", "first == 'Test'"))
    company.update()
    clear(company, range(1, 11))
    others(company)
    assert company.update().verdict == "COMPLETE"


def test_an_attribute_taken_out_of_the_file_is_no_longer_missed(company: Company) -> None:
    company.limits = "limits: { first_load: publish, emptied: 100% }"
    company.write_mapping()
    company.update()
    clear(company, range(1, 11))
    del company.rows["P10"]
    refused(company.update(), "title (of 9 people)", "take it out of the mapping file")
    company.write_mapping(("  title: title\n", ""), ("title == 'Test'", "first == 'Test'"))
    company.sync()
    assert company.sync().verdict == "COMPLETE"
    assert company.inactive() == {"P10"}


def test_newcomers_come_with_everybody_else_when_nothing_is_lost(company: Company) -> None:
    company.update()
    some_are_new(company)
    clear(company, range(1, 3))
    report = company.update()
    assert (report.counts, report.changed) == ({"new": 4, "emptied:title": 2}, 6)
    with company.store.read() as c:
        stored = entries.stored(c, company.source_id, ["P1", "P11", "P99"])
    assert {key: "title" in entry.attributes for key, entry in stored.items()} == {
        "P1": False, "P11": True,
    }  # fmt: skip


def test_a_leaver_who_is_back_keeps_what_was_lost_meanwhile(company: Company) -> None:
    company.update()
    gone = company.rows.pop("P2")
    company.update()
    clear(company, range(3, 11))
    clear(company, range(1, 2))
    company.rows["P2"] = {**gone, "title": ""}
    refused(company.update(), "title (of 10 people)")
    served = company.served()["P2"]
    assert (served["active"], served["title"]) == (True, "Clerk")


def test_what_a_read_of_changes_saw_is_not_counted_for_the_whole_one_that_follows(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first shows somebody who lost their mail, the second nobody at all."""
    company.update()
    with company.store.read() as c:
        known = entries.stored(c, company.source_id, ["P3"])["P3"]
    lost = {name: value for name, value in known.attributes.items() if name != "mail"}
    changed = replace(known, attributes=lost, fingerprint=b"another")

    def read(source: CsvSource, cookie: bytes | None) -> Iterator[Batch]:
        yield Batch(
            [changed] if cookie else [], cookie=b"{}", verdict=Verdict(True, whole=not cookie)
        )

    monkeypatch.setattr(CsvSource, "read", read)
    refused(company.sync("changes"), "nothing was read where there were 10 records before")
