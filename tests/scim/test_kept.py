"""Kept answers: they are the same bytes as new ones, whatever was published in between."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from bridge.model import Kind, Page, Query
from bridge.scim.dialect import Part
from bridge.scim.kept import Kept
from bridge.scim.shelf import Shelf
from bridge.scim.v2_0 import Version2
from bridge.store import Store
from bridge.store.pages import Pages
from tests.scim.conftest import BASE
from tests.store.company import Company

DIALECT = Version2(BASE.removesuffix("/scim/v2"))


@pytest.fixture
def company(tmp_path: Any) -> Iterator[Company]:
    store = Store.open(f"sqlite:///{tmp_path}/bridge.db")
    yield Company(store)
    store.close()


async def read(method: Callable[..., Any], *args: Any) -> Any:
    return method(*args)


def kept(company: Company, most: int = 10**6) -> tuple[Pages, Kept]:
    pages = Pages(company.store)
    shelf = Shelf(Path(str(company.store.url.database)).parent, most, spare=0)
    company.store.at_close.callback(shelf.close)
    return pages, Kept(pages, DIALECT, read, shelf)


def answer(pages: Pages, kept: Kept, start: int, count: int = 3) -> bytes:
    latest = pages.latest()
    assert latest is not None
    answered = asyncio.run(kept.answer(b"startIndex=%d&count=%d" % (start, count), latest))
    assert answered is not None
    return answered[1]


def fresh(pages: Pages, start: int, count: int = 3) -> bytes:
    query = Query(Kind.USER, start, count)
    return DIALECT.listing(start, [Part(Kind.USER, pages.page(query))])


def test_an_answer_is_always_the_one_that_would_be_made_anew(company: Company) -> None:
    with company.publication() as p:
        p.open_serving()
    pages, answers = kept(company)
    dice = random.Random(5)
    for round_ in range(60):
        company.pass_time(seconds=1)
        names = dice.sample([f"p{n}" for n in range(min(3 + round_, 12))], dice.randrange(3))
        title = f"t{dice.randrange(3)}"
        company.publish(*(company.write(name, title=title) for name in names))
        for start in (1, 4, 7, 10, 13):
            assert answer(pages, answers, start) == fresh(pages, start)


def test_nothing_is_read_again_until_something_of_it_changes(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    with company.publication() as p:
        p.put_users(company.source, [company.write(f"p{n}") for n in range(6)])
        p.open_serving()
    pages, answers = kept(company)
    asked: list[int] = []
    page = pages.page

    def noted(query: Query) -> Page:
        asked.append(query.start)
        return page(query)

    monkeypatch.setattr(pages, "page", noted)
    for _ in range(3):
        answer(pages, answers, 1)
        answer(pages, answers, 4)
    company.publish(company.write("p5", title="new"))
    for _ in range(3):
        answer(pages, answers, 1)
        answer(pages, answers, 4)
    assert asked == [1, 4, 4]


def test_a_store_that_went_back_and_took_another_way_is_not_mistaken(company: Company) -> None:
    with company.publication() as p:
        p.put_users(company.source, [company.write("p0")])
        p.open_serving()
    company.pass_time(hours=1)
    company.publish(company.write("p0", title="lost"))
    pages, answers = kept(company)
    assert b"lost" in answer(pages, answers, 1)
    # As a restored backup of an hour ago would, which then publishes under the same number.
    with company.store.write() as c:
        c.exec_driver_sql("DELETE FROM publication WHERE number = 2")
        c.exec_driver_sql("UPDATE users SET publication = 1")
        c.exec_driver_sql("DELETE FROM serving")
    assert pages.latest() is None
    company.pass_time(hours=1)
    assert company.publish(company.write("p0", title="other")) == 2
    with company.publication() as p:
        p.open_serving()
    body = answer(pages, answers, 1)
    assert b"other" in body
    assert f'"lastModified":"{company.now:%Y-%m-%dT%H:%M}'.encode() in body


def test_no_more_is_kept_than_there_is_room_for(company: Company) -> None:
    with company.publication() as p:
        p.put_users(company.source, [company.write(f"p{n}") for n in range(12)])
        p.open_serving()
    pages, answers = kept(company, most=2500)
    for start in (1, 4, 7, 10, 1, 4, 1):
        assert answer(pages, answers, start) == fresh(pages, start)
    assert {*answers._answered} == {b"startIndex=4&count=3", b"startIndex=1&count=3"}


@pytest.mark.parametrize(
    "query_string", [b"filter=title+pr", b"attributes=userName", b"EXCLUDEDATTRIBUTES=title"]
)
def test_what_is_more_than_a_plain_page_is_left_to_others(
    company: Company, query_string: bytes
) -> None:
    with company.publication() as p:
        p.open_serving()
    pages, answers = kept(company)
    latest = pages.latest()
    assert latest is not None
    assert asyncio.run(answers.answer(query_string, latest)) is None
