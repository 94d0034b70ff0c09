"""People who want a name that somebody else has: what of theirs goes live meanwhile."""

from __future__ import annotations

from bridge.model import ENTERPRISE_URN
from bridge.store import records
from bridge.sync.leadership import leadership
from bridge.sync.run import CHANGES, Sync
from tests.sync.conftest import Company, person
from tests.sync.university import University, uni

__all__ = ["uni"]


def test_an_active_person_who_waits_for_a_name_stays_active_under_the_old_one(
    company: Company,
) -> None:
    company.update()
    company.rows["P3"] |= {"mail": "p2@example.com", "title": "Chief"}
    report = company.update()
    assert (report.exit_code, report.problems, report.counts) == (0, 1, {})
    waiting = company.served()["P3"]
    assert (waiting["userName"], waiting["active"]) == ("p3@example.com", True)
    assert waiting["title"] == "Chief", "all else goes live"
    assert "P3" in company.problems()


def test_whoever_waits_for_a_name_gets_it_once_it_is_free(company: Company) -> None:
    company.update()
    company.rows["P3"]["mail"] = "p2@example.com"
    company.update()
    company.rows["P2"]["mail"] = "other@example.com"
    report = company.update()
    assert (report.problems, report.counts) == (0, {"renamed": 2})
    assert company.served()["P3"]["userName"] == "p2@example.com"
    assert company.problems() == {}


def test_a_leaver_whose_record_changes_yields_the_name_in_the_same_run(company: Company) -> None:
    company.update()
    company.leave(2)
    company.update()
    company.rows["P2"]["title"] = "Chief"
    company.rows["P11"] = person(11, mail="p2@example.com")
    assert company.update().counts == {"new": 1}
    served = company.served()
    left = served["P2"]
    assert (left["userName"], left["title"]) == (f"{left['id']}@left.invalid", "Chief")
    assert served["P11"]["userName"] == "p2@example.com"
    assert company.inactive() == {"P2"}


def test_who_comes_back_and_waits_for_a_name_is_active_under_the_old_one(company: Company) -> None:
    company.update()
    company.leave(2)
    company.update()
    company.rows["P2"] |= {"end": "", "mail": "p3@example.com"}
    report = company.update()
    assert (report.problems, report.counts) == (1, {"reactivated": 1})
    assert company.inactive() == set()
    assert company.served()["P2"]["userName"] == "p2@example.com"


def test_a_newcomer_who_was_never_active_and_lost_the_name_waits_inactive(
    company: Company,
) -> None:
    company.update()
    company.rows["P11"] = person(11, mail="x@example.com", end="2026-06-14")
    company.update()
    company.rows["P12"] = person(12, mail="x@example.com")
    company.update()
    company.rows["P11"]["end"] = ""
    report = company.update()
    assert (report.problems, report.counts) == (1, {})
    assert company.inactive() == {"P11"}


def test_somebody_who_yields_a_name_keeps_all_else_and_owes_no_other_run_a_look(
    company: Company,
) -> None:
    company.rows["P3"]["boss"] = "P2"
    company.update()
    company.leave(2)
    company.update()
    before, groups = company.served()["P2"], company.groups()
    company.rows["P11"] = person(11, mail="p2@example.com")
    assert company.update().written == 3, "the newcomer, who yields, and who reports to the latter"
    name = f"{before['id']}@left.invalid"
    after = company.served()
    assert {**after["P2"], "meta": None} == {**before, "userName": name, "meta": None}
    assert after["P3"][ENTERPRISE_URN] == {"department": "Sales", "manager": {"value": name}}
    assert company.groups()["Department Engineering"] == groups["Department Engineering"]
    with company.store.read() as connection:
        assert records.due(connection, company.source_id, company.now) == []


def test_whoever_reports_to_somebody_of_another_source_who_yields_follows_with_its_next_run(
    company: Company,
) -> None:
    def sync_labs() -> None:
        with leadership(company.store) as epoch:
            run = Sync(company.store, company.mappings, epoch, lambda: company.now).run
            run("labs", CHANGES, "test")

    company.update()
    (company.mappings / "labs.csv").write_text(
        "id,first,last,mail,dept,boss,end,title\n"
        "L1,A,B,x@example.com,1,,2026-06-14,Clerk\n"
        "L2,A,B,l2@example.com,1,L1,,Clerk\n"
    )
    text = (company.mappings / "hr.yaml").read_text()
    text = text.replace("name: hr", "name: labs").replace("people.csv", "labs.csv")
    (company.mappings / "labs.yaml").write_text(text)
    sync_labs()
    company.rows["P11"] = person(11, mail="x@example.com")
    company.update()
    sync_labs()
    served = company.served()
    name = f"{served['L1']['id']}@left.invalid"
    assert served["L1"]["userName"] == name
    assert served["L2"][ENTERPRISE_URN] == {
        "department": "Engineering", "manager": {"value": name},
    }  # fmt: skip


def test_whoever_refers_to_a_dn_of_another_source_who_yields_follows_with_its_next_run(
    uni: University,
) -> None:
    uni.company.sync("full")
    staff = "eduPersonAffiliation"
    uni.change(uni.dn("boss"), "changetype: modify", f"replace: {staff}", f"{staff}: affiliate")
    uni.company.sync("full")
    hr = Company(uni.company.folder, uni.company.store)
    hr.rows = {"P1": person(1, mail="boss@uni.example")}
    hr.write_mapping()
    assert hr.update().counts == {"first_load": 1}
    uni.company.sync("decide")
    served = uni.company.served()
    name = f"{served['boss']['id']}@left.invalid"
    assert served["boss"]["userName"] == name
    assert uni.manager("alice") == {"value": name}
