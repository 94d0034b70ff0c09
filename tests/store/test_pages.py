"""Pages: what the web role reads."""

from __future__ import annotations

import threading
from pathlib import Path

import orjson
import pytest
from sqlalchemy import text

from bridge.errors import StorageError
from bridge.model import Kind, Query, resource_id
from bridge.store import Pages, Store
from tests.servers.postgres import Server
from tests.store.company import Company


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
        (Query(Kind.USER, match=("userName", "p3@EXAMPLE.com")), (1, ["E3"])),
        (Query(Kind.USER, match=("externalId", "E3")), (1, ["E3"])),
        (Query(Kind.USER, match=("externalId", "e3")), (0, [])),
        (Query(Kind.USER, match=("id", resource_id(Kind.USER, "hr", "p3"))), (1, ["E3"])),
        (Query(Kind.USER, match=("userName", "p3@EXAMPLE.com"), count=0), (1, [])),
        (Query(Kind.USER, match=("userName", "p3@EXAMPLE.com"), start=2), (1, [])),
        (Query(Kind.USER, match=("userName", "nobody")), (0, [])),
        (Query(Kind.USER, match=("userName", "")), (0, [])),
        (Query(Kind.USER, match=("userName", "a\0b")), (0, [])),
        (Query(Kind.USER, match=("userName", "\ud800")), (0, [])),
        (Query(Kind.USER, match=("userName", "'; DROP TABLE users; --")), (0, [])),
        (Query(Kind.USER, match=("userName", "%")), (0, [])),
        (Query(Kind.GROUP, match=("displayName", "STRASSE")), (1, ["Straße"])),
        (Query(Kind.GROUP, match=("displayName", "b")), (0, [])),
        (Query(Kind.GROUP, match=("id", resource_id(Kind.GROUP, "hr", "b"))), (0, [])),
        (Query(Kind.GROUP, match=("externalId", "a")), (0, [])),
    ],
)
def test_a_query_is_answered(pages: Pages, query: Query, expected: tuple[int, list[str]]) -> None:
    assert positions(pages, query) == expected


def test_matches_are_paged_in_order_of_position(company: Company, pages: Pages) -> None:
    company.publish(*(company.write(f"p{n}", externalId="same") for n in range(5)))
    query = Query(Kind.USER, start=2, count=3, match=("externalId", "same"))
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
    pages._serving.sql = "DELETE FROM users"
    with pytest.raises(StorageError):
        pages.serving()


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
