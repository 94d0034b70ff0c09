"""What a publication writes, and what it keeps of what was."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from datetime import timedelta

import orjson
import pytest
from sqlalchemy import select, update

from bridge.errors import LeaseHeld
from bridge.model import Kind, Link, Query, resource_id
from bridge.store import Store, lease, resources, sources
from bridge.store.pages import Pages
from bridge.store.tables import MembershipRow, ServingRow, table
from tests.store.company import Company, equal

BOSS = Link(("manager",), "userName", "Boss@Example.com")


def names(pages: Pages, kind: Kind = Kind.GROUP) -> list[tuple[str, int]]:
    """Display names and publications of what is served, in order."""
    return [
        (orjson.loads(row.document)["displayName"], row.publication)
        for row in pages.page(Query(kind)).rows
    ]


def test_new_people_get_the_next_positions_in_the_order_given(company: Company) -> None:
    company.publish(company.write("b"), company.write("a"))
    company.publish(company.write("c"), company.write("b", title="Chief"))
    places = {key: company.served(key) for key in "bac"}
    assert [person.position for person in places.values() if person] == [1, 2, 3]


def test_a_person_comes_back_as_it_was_written(company: Company) -> None:
    write = company.write("p1", "P1@x.y", links=[BOSS], groups=["g1"], externalId="7", title="Dr")
    company.publish(write, groups={"g1": "One"})
    person = company.served("p1")
    assert person is not None
    assert person.id == resource_id(Kind.USER, "hr", "p1") == write.id
    assert person.attributes == {
        "userName": "P1@x.y", "active": True, "externalId": "7", "title": "Dr",
    }  # fmt: skip
    assert (person.document, person.links, person.groups) == (
        write.document, (BOSS,), frozenset({"g1"}),
    )  # fmt: skip
    assert (person.reason, person.publication, person.source_id) == ("employed", 1, company.source)


def test_a_number_is_drawn_only_when_something_served_changes(
    company: Company, pages: Pages
) -> None:
    assert company.publish() is None
    assert company.publish(company.write("p1")) == 1
    with company.publication() as p:
        p.set_due(company.source, {"p1": None}, as_of=0)
        p.go_live(company.source, "text", {})
    assert p.number is None
    company.pass_time(hours=1)
    write = company.write("p1", active=False)
    assert company.publish(write) == 2
    same = company.write("p1", active=False)
    assert same.document == write.document
    assert company.publish(same) is None, "the same document keeps its ETag"
    row = pages.one(Kind.USER, write.id)
    assert row is not None
    assert (row.publication, row.modified) == (2, company.now)


def test_the_time_of_a_publication_never_goes_backwards(company: Company, pages: Pages) -> None:
    company.publish(company.write("p1"))
    before = company.now
    company.pass_time(hours=-1)
    company.publish(company.write("p2"))
    assert [row.modified for row in pages.page(Query(Kind.USER)).rows] == [before, before]


def test_the_time_is_set_when_the_publication_ends(company: Company, pages: Pages) -> None:
    with company.publication() as p:
        p.put_users(company.source, [company.write("p1")])
        company.pass_time(minutes=5)
    assert pages.page(Query(Kind.USER)).rows[0].modified == company.now


def test_who_was_active_once_is_remembered(company: Company) -> None:
    company.publish(company.write("p1", active=False), company.write("p2"))
    company.publish(company.write("p2", active=False))
    one, two = company.served("p1"), company.served("p2")
    assert one is not None
    assert two is not None
    assert (one.ever_active, two.ever_active) == (False, True)


def test_the_people_of_a_source_are_counted(company: Company) -> None:
    company.publish(company.write("p1"), company.write("p2"), company.write("p3", active=False))
    company.publish(company.write("p1", active=False), company.write("p3"), company.write("p4"))
    company.publish(company.write("p3", active=False))
    with company.store.read() as c:
        source = sources.get(c, "hr")
    assert source is not None
    assert (source.people, source.active) == (4, 2)


def test_two_people_can_swap_their_names(company: Company, pages: Pages) -> None:
    company.publish(company.write("p1", "a@x.y"), company.write("p2", "b@x.y"))
    company.publish(company.write("p1", "b@x.y"), company.write("p2", "a@x.y"))
    for name, key in (("a@x.y", "p2"), ("b@x.y", "p1")):
        page = pages.page(Query(Kind.USER, filter=equal("userName", name)))
        assert [row.id for row in page.rows] == [resource_id(Kind.USER, "hr", key)]


def test_links_are_found_by_the_name_they_refer_to(company: Company) -> None:
    def dependents(*pairs: tuple[str, str]) -> set[str]:
        with company.store.read() as c:
            return resources.dependents(c, company.source, pairs)

    by_key = Link(("manager",), "key", "Boss")
    company.publish(
        company.write("p1", links=[BOSS]), company.write("p2", links=[by_key]), company.write("p3")
    )
    assert dependents(("userName", "bOSS@example.com")) == {"p1"}
    assert dependents(("key", "Boss")) == {"p2"}
    assert dependents(("key", "boss"), ("externalId", "Boss")) == set()
    company.publish(company.write("p1", links=[by_key]), company.write("p2"))
    assert dependents(("userName", "boss@example.com"), ("key", "Boss")) == {"p1"}


def test_two_links_to_the_same_person_are_one_dependence(company: Company) -> None:
    twice = [BOSS, Link(("deputy",), "userName", "boss@example.com", "displayName")]
    company.publish(company.write("p1", links=twice))
    company.publish(company.write("p1"))
    with company.store.read() as c:
        pairs = [("userName", "boss@example.com")]
        assert resources.dependents(c, company.source, pairs) == set()


def test_a_changed_membership_changes_the_group_alone(company: Company, pages: Pages) -> None:
    company.publish(
        company.write("p1", groups=["a"]), company.write("p2", groups=["b"]),
        groups={"a": "A", "b": "B"},
    )  # fmt: skip
    company.publish(company.write("p2", groups=["a", "b"]))
    assert names(pages) == [("A", 2), ("B", 1)]
    person = company.served("p2")
    assert person is not None
    assert person.publication == 1
    members = orjson.loads(pages.page(Query(Kind.GROUP)).rows[0].document)["members"]
    assert members == [
        {"value": resource_id(Kind.USER, "hr", key), "type": "User"} for key in ("p1", "p2")
    ]


def test_a_renamed_group_keeps_its_id_and_members(company: Company, pages: Pages) -> None:
    company.publish(company.write("p1", groups=["a"]), groups={"a": "Old"})
    (before,) = pages.page(Query(Kind.GROUP)).rows
    assert company.publish(groups={"a": "New"}) == 2
    assert company.publish(groups={"a": "New"}) is None
    (after,) = pages.page(Query(Kind.GROUP)).rows
    assert after.id == before.id == resource_id(Kind.GROUP, "hr", "a")
    assert after.document == before.document.replace(b"Old", b"New")


def test_an_empty_group_leaves_a_hole_whose_position_is_never_used_again(
    company: Company, pages: Pages
) -> None:
    company.publish(
        company.write("p1", groups=["a"]), company.write("p2", groups=["b"]),
        groups={"a": "A", "b": "B"},
    )  # fmt: skip
    with company.publication() as p:
        p.put_users(company.source, [company.write("p2")])
        assert p.drop_empty_groups(company.source) == ["b"]
    page = pages.page(Query(Kind.GROUP))
    assert (page.total, names(pages)) == (2, [("A", 1)])
    assert pages.one(Kind.GROUP, resource_id(Kind.GROUP, "hr", "b")) is None
    company.publish(company.write("p3", groups=["c"]), groups={"c": "C"})
    page = pages.page(Query(Kind.GROUP, start=2, count=2))
    assert (page.total, [orjson.loads(row.document)["displayName"] for row in page.rows]) == (
        3, ["C"],
    )  # fmt: skip


def test_a_group_that_comes_back_has_its_old_place_and_id(company: Company, pages: Pages) -> None:
    company.publish(company.write("p1", groups=["a"]), groups={"a": "A"})
    before = pages.page(Query(Kind.GROUP)).rows[0].id
    company.publish(company.write("p1"))
    assert not pages.page(Query(Kind.GROUP)).rows
    company.publish(company.write("p1", groups=["a"]), groups={"a": "Again"})
    page = pages.page(Query(Kind.GROUP))
    assert (page.total, page.rows[0].id, names(pages)) == (1, before, [("Again", 3)])


def test_a_group_emptied_and_filled_in_one_publication_stays(
    company: Company, pages: Pages
) -> None:
    company.publish(company.write("p1", groups=["a"]), groups={"a": "A"})
    company.publish(company.write("p1"), company.write("p2", groups=["a"]))
    assert names(pages) == [("A", 2)]
    with company.store.read() as c:
        assert [tuple(row) for row in c.execute(select(table(MembershipRow)))] == [(1, 2)]


def test_a_mapping_goes_live_with_its_schemas(company: Company, pages: Pages) -> None:
    other = Company(company.store, "other")
    with company.publication() as p:
        p.go_live(company.source, "one", {"urn:x": [{"name": "a"}], "urn:old": [{"name": "z"}]})
        p.go_live(company.source, "two", {"urn:x": [{"name": "a"}, {"name": "b"}]})
        p.go_live(other.source, "three", {"urn:x": [{"name": "b"}, {"name": "c"}]})
        p.first_load_done(company.source)
    assert pages.schemas() == {"urn:x": [{"name": "a"}, {"name": "b"}, {"name": "c"}]}
    with company.store.read() as c:
        found = {row.name: row for row in sources.all(c)}
    assert (found["hr"].mapping_text, found["hr"].mapping_version) == ("two", 2)
    assert (found["hr"].loaded_at, found["other"].loaded_at) == (company.now, None)


def test_serving_begins_once(company: Company, pages: Pages) -> None:
    assert not pages.serving()
    began = company.now
    for _ in range(2):
        with company.publication() as p:
            p.open_serving()
        company.pass_time(hours=1)
    assert pages.serving()
    with company.store.read() as c:
        assert [row.since for row in c.execute(select(table(ServingRow)))] == [began]


def test_a_restored_store_is_answered_from_when_a_publication_says_so(
    company: Company, pages: Pages
) -> None:
    with company.publication() as p:
        p.open_serving()
        assert not p.is_restored()
    with company.store.write() as c:
        c.execute(update(table(ServingRow)).values(restored=True))
    assert not pages.serving()
    with company.publication() as p:
        assert p.is_restored()
        p.open_serving()
        assert not p.is_restored()
    assert pages.serving()


def test_a_publication_that_an_error_leaves_changes_nothing(company: Company, pages: Pages) -> None:
    company.publish(company.write("p1"))

    def fail() -> None:
        with company.publication() as p:
            p.put_users(company.source, [company.write("p2"), company.write("p1", active=False)])
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert pages.page(Query(Kind.USER)).total == 1
    assert company.publish(company.write("p2")) == 2


def test_a_process_that_was_taken_over_cannot_publish(company: Company, pages: Pages) -> None:
    company.publish(company.write("p1"))
    frozen = company.epoch
    with company.store.write() as c:
        lease.release(c, frozen)
        company.epoch = lease.acquire(c, "other", company.now)
    with (
        pytest.raises(LeaseHeld, match="nothing was published"),
        company.store.publication(epoch=frozen, run_id=1, now=company.clock) as p,
    ):
        p.put_users(company.source, [company.write("p2")])
    assert pages.page(Query(Kind.USER)).total == 1
    company.publish(company.write("p2"))


def test_a_publication_shows_that_its_holder_is_alive(company: Company) -> None:
    company.pass_time(days=999)
    company.publish(company.write("p1"))
    with company.store.read() as c:
        assert lease.current(c, company.now) == "this"
        assert lease.current(c, company.now + lease.TTL + timedelta(seconds=1)) is None


_DIE = """
import os, signal, sys
from bridge.store import Store
from tests.store.company import Company, equal

company = Company(Store.open(sys.argv[1]), sys.argv[2])
company.epoch = int(sys.argv[3])
with company.publication() as p:
    for start in range(0, 3000, 500):
        p.put_groups(company.source, {"a": f"Renamed {start}"})
        p.put_users(company.source, [company.write(f"x{n}", groups=["a"], title="t" * 500)
                                     for n in range(start, start + 500)])
        print(start, flush=True)
    print("ready", flush=True)
    sys.stdin.read()
"""


@pytest.mark.parametrize("at", ["0", "1500", "ready"])
def test_a_kill_inside_a_publication_leaves_the_state_before(
    company: Company, pages: Pages, url: str, at: str
) -> None:
    company.publish(company.write("p1", groups=["a"]), groups={"a": "A"})
    kinds = [Query(kind) for kind in Kind]
    before = [pages.page(query) for query in kinds]
    process = subprocess.Popen(
        [sys.executable, "-c", _DIE, url, "hr", str(company.epoch)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdin is not None
    assert any(line.strip() == at for line in process.stdout), "it died on its own"
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    process.stdin.close()
    process.stdout.close()
    assert [pages.page(query) for query in kinds] == before
    store = Store.open(url)
    again = Pages(store)
    assert [again.page(query) for query in kinds] == before
    again.close()
    store.close()
    assert company.publish(company.write("p2")) == 2
