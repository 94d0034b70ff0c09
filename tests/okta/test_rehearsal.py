"""The model of an Okta import, against hand-made answers."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from bridge.okta.needs import page_faults, row_faults
from bridge.okta.rehearsal import Import, Manner, rehearse

BASE = "https://bridge.example/scim/v2"
Handler = Callable[[httpx.Request], httpx.Response]


def person(n: int, active: bool = True, **more: Any) -> dict[str, Any]:
    return {
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
        "id": f"id-{n}",
        "userName": f"person{n}@example.com",
        "name": {"givenName": "Per", "familyName": "Son"},
        "emails": [{"value": f"person{n}@example.com", "primary": True}],
        "active": active,
        "meta": {"resourceType": "User", "location": f"{BASE}/Users/id-{n}"},
        **more,
    }


def linked(*numbers: int) -> dict[str, dict[str, Any]]:
    people = map(person, numbers)
    return {row["id"]: {k: v for k, v in row.items() if k != "meta"} for row in people}


def ids(*numbers: int) -> frozenset[str]:
    return frozenset(f"id-{n}" for n in numbers)


def served(rows: Iterable[dict[str, Any]]) -> Handler:
    people = list(rows)

    def handle(request: httpx.Request) -> httpx.Response:
        start, count = (int(request.url.params[name]) for name in ("startIndex", "count"))
        page = people[start - 1 : start - 1 + count]
        return listed(page, start, len(people))

    return handle


def listed(page: list[dict[str, Any]], start: int, total: int) -> httpx.Response:
    return httpx.Response(
        200,
        json={
            "totalResults": total,
            "startIndex": start,
            "itemsPerPage": len(page),
            "Resources": page,
        },
    )


def run(handle: Handler, known: dict[str, dict[str, Any]], **options: Any) -> Import:
    with httpx.Client(transport=httpx.MockTransport(handle)) as client:
        return rehearse(client, BASE, "secret", known, **options)


def test_everybody_who_is_active_and_new_is_created() -> None:
    done = run(served(map(person, range(1, 251))), {})
    assert done.created == ids(*range(1, 251))
    assert done.linked.keys() == done.created
    assert not done.violations


def test_somebody_inactive_and_not_linked_never_appears() -> None:
    done = run(served([person(1), person(2, active=False)]), {})
    assert (done.created, done.scanned, done.linked.keys()) == (ids(1), 1, ids(1))


def test_linked_people_who_are_missing_or_inactive_are_removed() -> None:
    done = run(served([person(1), person(2, active=False)]), linked(1, 2, 3))
    assert (done.removed, done.unchanged, done.linked.keys()) == (ids(2, 3), ids(1), ids(1))


def test_a_changed_profile_is_an_update_and_a_changed_meta_is_none() -> None:
    moved = person(2, title="Chief")
    stamped = person(1) | {"meta": {"resourceType": "User", "location": "x", "version": "7"}}
    done = run(served([stamped, moved]), linked(1, 2))
    assert (done.updated, done.unchanged) == (ids(2), ids(1))
    assert done.linked["id-2"]["title"] == "Chief"


def test_an_incremental_import_takes_only_returned_rows_as_gone() -> None:
    queries = []

    def handle(request: httpx.Request) -> httpx.Response:
        queries.append(parse_qs(urlsplit(str(request.url)).query))
        return listed([person(2, active=False)], 1, 1)

    done = run(handle, linked(1, 2, 3), since=datetime(2020, 4, 7, 14, 19, 34, tzinfo=UTC))
    assert done.removed == ids(2)
    assert done.linked.keys() == ids(1, 3)
    assert queries[0]["filter"] == ['meta.lastModified gt "2020-04-07T14:19:34Z"']


@pytest.mark.parametrize(
    ("company", "gone", "stopped"),
    [(100, 100, False), (101, 20, False), (101, 21, True), (200, 39, False), (200, 40, True)],
)
def test_the_safeguard_stops_a_fifth_of_more_than_a_hundred(
    company: int, gone: int, stopped: bool
) -> None:
    known = linked(*range(company))
    rows = [person(n, active=n >= gone) for n in range(company)] + [person(999)]
    done = run(served(rows), known)
    assert done.stopped is stopped
    assert len(done.removed) == gone
    assert len(done.linked) == (company if stopped else company - gone + 1)
    assert done.created == (ids() if stopped else ids(999))


def test_the_step_is_the_page_that_was_asked_for() -> None:
    starts = []

    def short(request: httpx.Request) -> httpx.Response:
        starts.append(int(request.url.params["startIndex"]))
        return listed([person(starts[-1])], starts[-1], 250)

    done = run(short, {})
    assert starts == [1, 101, 201]
    assert any("somebody is lost" in violation for violation in done.violations)


def test_a_total_that_grows_between_pages_is_followed() -> None:
    def growing(request: httpx.Request) -> httpx.Response:
        start = int(request.url.params["startIndex"])
        total = 100 if start == 1 else 150
        rows = [person(n) for n in range(start, min(start + 99, total) + 1)]
        return listed(rows, start, total + (start == 1))

    assert len(run(growing, {}).created) == 150


@pytest.mark.parametrize("status", [500, 503, 401, 404])
def test_any_failure_ends_the_import_and_removes_nobody(status: int) -> None:
    people = served(map(person, range(1, 151)))

    def handle(request: httpx.Request) -> httpx.Response:
        second = request.url.params["startIndex"] == "101"
        return httpx.Response(status, headers={"Retry-After": "1"}) if second else people(request)

    known = linked(1, 2, 500)
    done = run(handle, known)
    assert str(status) in done.failed
    assert (done.removed, done.created, done.linked) == (ids(), ids(), known)


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(200, text="<html>Log in</html>"),
        httpx.Response(200, json=[]),
        httpx.Response(200, json={"totalResults": 3}),
        httpx.Response(200, json={"Resources": []}),
        httpx.Response(200, json={"Resources": ["id-1"], "totalResults": 1}),
    ],
    ids=["html", "array", "no Resources", "no total", "no objects"],
)
def test_an_answer_that_is_no_list_ends_the_import(answer: httpx.Response) -> None:
    done = run(lambda _: answer, linked(1))
    assert done.failed
    assert done.linked == linked(1)


def test_a_server_that_does_not_answer_ends_the_import() -> None:
    def handle(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused", request=request)

    assert "ConnectError" in run(handle, linked(1)).failed


@pytest.mark.parametrize(
    ("headers", "waited"), [({"Retry-After": "7"}, [7.0, 7.0]), ({}, [300.0, 600.0])]
)
def test_429_is_waited_for_as_told_or_longer_each_time(
    headers: dict[str, str], waited: list[float]
) -> None:
    waits: list[float] = []
    people = served([person(1)])

    def handle(request: httpx.Request) -> httpx.Response:
        return httpx.Response(429, headers=headers) if len(waits) < 2 else people(request)

    done = run(handle, {}, manner=Manner(wait=waits.append))
    assert (waits, done.created) == (waited, ids(1))


def test_waiting_ends_after_ten_tries() -> None:
    waits: list[float] = []
    done = run(lambda _: httpx.Response(429), linked(1), manner=Manner(wait=waits.append))
    assert "10 times" in done.failed
    assert len(waits) == 10


def test_503_is_waited_for_where_the_client_does() -> None:
    waits: list[float] = []
    people = served([person(1)])

    def handle(request: httpx.Request) -> httpx.Response:
        told = httpx.Response(503, headers={"Retry-After": "3"})
        return people(request) if waits else told

    manner = Manner(waits_on=frozenset({429, 503}), wait=waits.append)
    assert run(handle, {}, manner=manner).created == ids(1)
    assert waits == [3.0]


@pytest.mark.parametrize(
    ("manner", "query"),
    [
        (
            Manner(),
            "filter=meta.lastModified%20gt%20%222026-01-02T03%3A04%3A05Z%22&startIndex=1&count=100",
        ),
        (
            Manner(plus=True, count_first=True, page_size=50),
            "filter=meta.lastModified+gt+%222026-01-02T03%3A04%3A05Z%22&count=50&startIndex=1",
        ),
    ],
)
def test_the_manner_of_asking_varies(manner: Manner, query: str) -> None:
    asked = []

    def handle(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.query.decode())
        return listed([], 1, 0)

    run(handle, {}, since=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), manner=manner)
    assert asked == [query]


def test_the_token_is_sent_as_bearer() -> None:
    seen = []

    def handle(request: httpx.Request) -> httpx.Response:
        seen.append(request.headers["authorization"])
        return listed([], 1, 0)

    run(handle, {})
    assert seen == ["Bearer secret"]


def test_a_row_that_comes_twice_is_a_violation() -> None:
    done = run(served([person(1), person(2), person(1)]), {})
    assert done.violations == ("id-1: came twice",)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"id": ""}, "no id"),
        ({"id": 7}, "no id"),
        ({"userName": "a@b"}, "userName"),
        ({"userName": "no mail address"}, "userName"),
        ({"name": {"givenName": "A" * 51, "familyName": "B"}}, "givenName"),
        ({"name": {"givenName": "A"}}, "familyName"),
        ({"name": None}, "null"),
        ({"emails": []}, "primary"),
        ({"emails": [{"value": "a@b.c", "primary": True}] * 2}, "primary"),
        ({"emails": [{"primary": True}]}, "value of one of emails"),
        ({"active": "true"}, "active"),
        ({"title": ""}, "empty"),
        ({"phoneNumbers": []}, "empty"),
        ({"meta": {"location": "x"}}, "resourceType"),
        ({"meta": {"resourceType": "User"}}, "location"),
        ({"schemas": []}, "schemas"),
        ({"urn:x:User": {"a": 1}}, "urn:x:User is not among schemas"),
        ({"schemas": ["urn:x:User"], "urn:x:User": {"groups": 1}}, "named groups"),
    ],
)
def test_a_row_that_okta_cannot_use_is_named(change: dict[str, Any], words: str) -> None:
    assert any(words in fault for fault in row_faults(person(1) | change))


def test_a_good_row_has_no_faults() -> None:
    assert not list(row_faults(person(1)))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"totalResults": "1"}, "totalResults is not"),
        ({"totalResults": True}, "totalResults is not"),
        ({"startIndex": 2}, "startIndex is not the one"),
        ({"itemsPerPage": 100}, "itemsPerPage"),
        ({"Resources": None}, "array"),
        ({"totalResults": 2}, "lost"),
    ],
)
def test_a_page_that_okta_cannot_use_is_named(change: dict[str, Any], words: str) -> None:
    good = {"totalResults": 1, "startIndex": 1, "itemsPerPage": 1, "Resources": [person(1)]}
    assert not list(page_faults(good, 1, 100))
    assert any(words in fault for fault in page_faults(good | change, 1, 100))
