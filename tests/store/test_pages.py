"""Pages: what the web role reads."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson
import pytest
from sqlalchemy import text

from bridge.errors import StorageError
from bridge.filter import All, Attribute, Compare, Element, Filter, Not, Op, Some
from bridge.model import ENTERPRISE_URN, Kind, Latest, Query, Stamp, resource_id
from bridge.store import Store, lease
from bridge.store.modified import OVERLAP
from bridge.store.pages import Pages, stamp_of
from bridge.store.readers import Interrupted, Readers
from tests.servers.postgres import Server
from tests.store.company import Company, equal


@pytest.fixture
def seven(company: Company) -> Company:
    """Seven people, p1 to p7; two groups and a hole between them."""
    company.publish(
        *(
            company.write(f"p{n}", f"P{n}@Example.com", externalId=f"E{n}", groups=["a", "b", "c"])
            for n in range(1, 8)
        ),
        groups={"a": "Straße", "b": "B", "c": "C"},
    )
    company.publish(
        *(company.write(f"p{n}", f"P{n}@Example.com", externalId=f"E{n}",
                        groups=["a", "c"] if n == 7 else ["a"]) for n in range(1, 8))
    )  # fmt: skip
    return company


def positions(pages: Pages, query: Query) -> tuple[int, list[str]]:
    page = pages.page(query)
    key = "externalId" if query.kind is Kind.USER else "displayName"
    return page.total, [orjson.loads(row.document)[key] for row in page.rows]


@pytest.mark.usefixtures("seven")
@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (Query(Kind.USER), (7, ["E1", "E2", "E3", "E4", "E5", "E6", "E7"])),
        (Query(Kind.USER, start=3, count=2), (7, ["E3", "E4"])),
        (Query(Kind.USER, start=7, count=100), (7, ["E7"])),
        (Query(Kind.USER, start=8), (7, [])),
        (Query(Kind.USER, start=10**30, count=1000), (7, [])),
        (Query(Kind.USER, start=-5, count=1), (7, ["E1"])),
        (Query(Kind.USER, count=0), (7, [])),
        (Query(Kind.GROUP), (3, ["Straße", "C"])),
        (Query(Kind.GROUP, start=2, count=1), (3, [])),
        (Query(Kind.GROUP, start=2, count=2), (3, ["C"])),
        (Query(Kind.USER, filter=equal("userName", "p3@EXAMPLE.com")), (1, ["E3"])),
        (Query(Kind.USER, filter=equal("externalId", "E3", exact=True)), (1, ["E3"])),
        (Query(Kind.USER, filter=equal("externalId", "e3", exact=True)), (0, [])),
        (
            Query(Kind.USER, filter=equal("id", resource_id(Kind.USER, "hr", "p3"), exact=True)),
            (1, ["E3"]),
        ),
        (Query(Kind.USER, filter=equal("userName", "p3@EXAMPLE.com"), count=0), (1, [])),
        (Query(Kind.USER, filter=equal("userName", "p3@EXAMPLE.com"), start=2), (1, [])),
        (Query(Kind.USER, filter=equal("userName", "nobody")), (0, [])),
        (Query(Kind.USER, filter=equal("userName", "")), (0, [])),
        (Query(Kind.USER, filter=equal("userName", "a\0b")), (0, [])),
        (Query(Kind.USER, filter=equal("userName", "\ud800")), (0, [])),
        (Query(Kind.USER, filter=equal("userName", "'; DROP TABLE users; --")), (0, [])),
        (Query(Kind.USER, filter=equal("userName", "%")), (0, [])),
        (Query(Kind.GROUP, filter=equal("displayName", "STRASSE")), (1, ["Straße"])),
        (Query(Kind.GROUP, filter=equal("displayName", "b")), (0, [])),
        (
            Query(Kind.GROUP, filter=equal("id", resource_id(Kind.GROUP, "hr", "b"), exact=True)),
            (0, []),
        ),
        (Query(Kind.GROUP, filter=equal("externalId", "a", exact=True)), (0, [])),
    ],
)
def test_a_query_is_answered(pages: Pages, query: Query, expected: tuple[int, list[str]]) -> None:
    assert positions(pages, query) == expected


def test_matches_are_paged_in_order_of_position(company: Company, pages: Pages) -> None:
    company.publish(*(company.write(f"p{n}", externalId="same") for n in range(5)))
    query = Query(Kind.USER, start=2, count=3, filter=equal("externalId", "same", exact=True))
    page = pages.page(query)
    assert page.total == 5
    assert [row.id for row in page.rows] == [
        resource_id(Kind.USER, "hr", f"p{n}") for n in (1, 2, 3)
    ]


def test_an_empty_store_has_an_empty_page(pages: Pages) -> None:
    assert positions(pages, Query(Kind.USER)) == (0, [])
    assert positions(pages, Query(Kind.GROUP)) == (0, [])


def test_one_is_the_row_with_that_id(seven: Company, pages: Pages) -> None:
    row = pages.one(Kind.USER, resource_id(Kind.USER, "hr", "p2"))
    assert row is not None
    assert (orjson.loads(row.document)["externalId"], row.modified) == ("E2", seven.now)
    assert pages.one(Kind.GROUP, row.id) is None
    assert pages.one(Kind.USER, "nobody") is None


def test_members_stand_in_order_and_only_where_there_are_any(
    company: Company, pages: Pages
) -> None:
    with company.publication() as p:
        p.put_groups(company.source, {"full": "Full", "empty": "Empty"})
        p.put_users(company.source, [company.write(f"p{n}", groups=["full"]) for n in range(1000)])
    full, empty = (orjson.loads(row.document) for row in pages.page(Query(Kind.GROUP)).rows)
    assert full["members"] == [
        {"value": resource_id(Kind.USER, "hr", f"p{n}"), "type": "User"} for n in range(1000)
    ]
    assert "members" not in empty


def test_a_page_of_groups_may_leave_their_members_out(company: Company, pages: Pages) -> None:
    company.publish(company.write("p1", groups=["a"]), groups={"a": "A"})
    (row,) = pages.page(Query(Kind.GROUP, members=False)).rows
    assert "members" not in orjson.loads(row.document)
    one = pages.one(Kind.GROUP, row.id, members=False)
    assert one == row
    assert "members" in orjson.loads(pages.page(Query(Kind.GROUP)).rows[0].document)


def test_an_email_is_found_while_it_is_one_of_the_persons(company: Company, pages: Pages) -> None:
    def found(value: str) -> int:
        email = Attribute(("emails",), "value", many=True)
        return pages.page(Query(Kind.USER, filter=Compare(email, Op.EQ, value))).total

    first, second = ({"value": f"{name}@Example.com"} for name in ("one", "two"))
    for emails, totals in (
        ([first | {"primary": True}, second], (1, 1)),
        ([first | {"primary": True}], (1, 0)),
        ([first, second | {"primary": True}], (1, 1)),
        ([second | {"primary": True}, second], (0, 1)),
        ([], (0, 0)),
    ):
        company.publish(company.write("p1", emails=emails))
        assert (found("ONE@example.com"), found("two@example.com")) == totals


def test_an_employee_number_is_found_while_it_is_the_persons(
    company: Company, pages: Pages
) -> None:
    for number, totals in (("A7", (1, 0)), ("B8", (0, 1)), ("", (0, 0))):
        enterprise: dict[str, Any] = {}
        if number:
            enterprise[ENTERPRISE_URN] = {"employeeNumber": number}
        company.publish(company.write("p1", **enterprise))
        attribute = Attribute((ENTERPRISE_URN, "employeeNumber"))
        queries = [Query(Kind.USER, filter=Compare(attribute, Op.EQ, one)) for one in ("a7", "b8")]
        assert tuple(pages.page(query).total for query in queries) == totals


_NAME = equal("userName", "x")
_WORK = Element(Attribute(("emails",), many=True), Compare(Attribute((), "type"), Op.EQ, "x"))


@pytest.mark.parametrize(
    ("filter", "quick"),
    [
        (None, True),
        (_NAME, True),
        (All((equal("title", "x"), _NAME)), True),
        (Element(_WORK.attribute, All((Compare(Attribute((), "value"), Op.EQ, "x"),))), True),
        (Not(_NAME), False),
        (Some((_NAME, _NAME)), False),
        (Compare(_NAME.attribute, Op.NE, "x"), False),
        (equal("title", "x"), False),
        (_WORK, False),
    ],
)
def test_nobody_waits_for_what_an_index_finds(
    pages: Pages, filter: Filter | None, quick: bool
) -> None:
    assert pages.quick(Query(Kind.USER, filter=filter)) is quick


def modified(op: Op, at: datetime) -> Query:
    attribute = Attribute(("meta",), "lastModified", type="dateTime")
    return Query(Kind.USER, filter=Compare(attribute, op, at))


def test_what_is_committed_long_after_its_stamp_is_found_by_whoever_asked_in_between(
    company: Company, pages: Pages, monkeypatch: pytest.MonkeyPatch
) -> None:
    company.publish(company.write("p1"))
    asked = company.pass_time(hours=1)
    seen: list[int] = []

    def slow_commit(*_: object) -> None:
        # The publication is stamped, and nobody can see it yet.
        company.pass_time(seconds=119)
        seen.append(pages.page(modified(Op.GT, asked)).total)

    with monkeypatch.context() as patched:
        patched.setattr(lease, "renew", slow_commit)
        company.publish(company.write("p2"))
    assert seen == [0]
    assert pages.page(modified(Op.GT, company.now)).total == 1


def test_a_walk_of_what_was_modified_misses_nobody_while_syncs_go_on(
    company: Company, pages: Pages
) -> None:
    company.publish(*(company.write(f"p{n:02}") for n in range(20)))
    since = company.now
    company.pass_time(hours=1)
    company.publish(*(company.write(f"p{n:02}", title="a") for n in range(0, 20, 2)))
    walked: list[str] = []
    for start in range(1, 100, 3):
        page = pages.page(replace(modified(Op.GT, since + OVERLAP), start=start, count=3))
        walked += [orjson.loads(row.document)["userName"] for row in page.rows]
        if start + 3 > page.total:
            break
        # Those behind are modified again, and one more before them.
        company.pass_time(minutes=5)
        company.publish(*(company.write(f"p{n:02}", title=f"b{start}") for n in (0, 1, start, 18)))
    assert {f"p{n:02}@example.com" for n in range(0, 20, 2)} <= set(walked)


def test_the_stamp_of_a_page_is_that_of_what_is_read(company: Company, pages: Pages) -> None:
    queries = [Query(Kind.USER, start, 2) for start in (1, 2, 3, 5)]
    seen: set[tuple[Stamp, ...]] = set()

    def look() -> None:
        stamps = tuple(pages.stamp(query) for query in queries)
        assert stamps == tuple(stamp_of(pages.page(query)) for query in queries)
        assert stamps not in seen
        seen.add(stamps)

    look()
    for title in ("a", "b"):
        for name in ("p1", "p2", "p3"):
            company.pass_time(minutes=1)
            company.publish(company.write(name, title=title))
            look()
    company.publish(company.write("p2", active=False, title="b"))
    look()


def test_the_latest_publication_is_none_until_something_is_served(
    company: Company, pages: Pages
) -> None:
    company.publish(company.write("p1"))
    assert pages.latest() is None
    with company.publication() as p:
        p.open_serving()
    assert pages.latest() == Latest(1, company.now)
    company.pass_time(minutes=1)
    company.publish(company.write("p2"))
    assert pages.latest() == Latest(2, company.now)


def test_an_empty_company_is_served_once_it_was_approved(company: Company, pages: Pages) -> None:
    with company.publication() as p:
        p.open_serving()
    latest = pages.latest()
    assert latest is not None
    assert latest.number == 0


def test_a_search_that_takes_too_long_is_interrupted_and_the_next_one_is_answered(
    company: Company,
) -> None:
    company.publish(company.write("p1"))
    readers = Readers(company.store.url, seconds=0.2)
    numbers = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n)"
    with pytest.raises(Interrupted):
        readers.rows(f"{numbers} SELECT max(x) FROM n")
    assert readers.rows("SELECT count(*) FROM users") == [(1,)]
    readers.close()


def test_threads_may_share_the_pages(seven: Company, pages: Pages) -> None:
    totals: list[int] = []

    def read() -> None:
        totals.extend(pages.page(Query(Kind.USER)).total for _ in range(50))

    threads = [threading.Thread(target=read) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert totals == [7] * 400


def test_the_pages_cannot_write(pages: Pages) -> None:
    with pytest.raises(StorageError):
        pages._readers.rows("DELETE FROM users")


def test_a_file_that_was_taken_away_is_an_error_and_not_an_empty_list(tmp_path: Path) -> None:
    store = Store.open(f"sqlite:///{tmp_path}/bridge.db")
    pages = Pages(store)
    store.close()
    (tmp_path / "bridge.db").unlink()
    with pytest.raises(StorageError, match="cannot be opened"):
        pages.page(Query(Kind.USER))
    assert not (tmp_path / "bridge.db").exists()


def test_connections_that_a_server_ended_are_replaced(
    postgres: str, postgres_server: Server
) -> None:
    store = Store.open(postgres)
    pages = Pages(store)
    assert pages.page(Query(Kind.USER)).total == 0
    postgres_server.run(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname LIKE 'test_%'"
    )
    assert pages.page(Query(Kind.USER)).total == 0
    with store.read() as c:
        assert c.execute(text("SELECT 1")).scalar() == 1
    pages.close()
    store.close()
