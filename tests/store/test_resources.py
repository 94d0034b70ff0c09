"""Looking people up by what others call them."""

from __future__ import annotations

import orjson
import pytest

from bridge.model import ENTERPRISE_URN, USER_URN, Kind, Served
from bridge.store import resources, sources
from tests.store.company import Company


def keys(people: list[Served]) -> list[str]:
    return [person.key for person in people]


def test_a_document_names_the_schemas_it_holds() -> None:
    body = {"userName": "a", ENTERPRISE_URN: {"department": "x"}, "urn:custom": {"y": 1}}
    document = orjson.loads(resources.render("7", Kind.USER, body))
    assert document == {"schemas": [USER_URN, ENTERPRISE_URN, "urn:custom"], "id": "7", **body}


@pytest.mark.parametrize(
    ("by", "ref", "expected"),
    [
        ("key", "p1", "p1"),
        ("key", "P1", None),
        ("externalId", "E1", "p1"),
        ("externalId", "e1", None),
        ("userName", "p1@example.COM", "p1"),
        ("userName", "nobody", None),
    ],
)
def test_a_reference_is_resolved(company: Company, by: str, ref: str, expected: str | None) -> None:
    company.publish(company.write("p1", externalId="E1"), company.write("p2"))
    with company.store.read() as c:
        found = resources.resolve(c, company.source, by, [ref])
    assert {name: person.key for name, person in found.items()} == (
        {} if expected is None else {ref: expected}
    )


def test_of_several_the_active_one_is_meant_then_the_one_served_longest(company: Company) -> None:
    company.publish(
        company.write("left", externalId="E", active=False),
        company.write("first", externalId="E"),
        company.write("second", externalId="E"),
    )
    with company.store.read() as c:
        assert resources.resolve(c, company.source, "externalId", ["E"])["E"].key == "first"


def test_references_stay_within_a_source(company: Company) -> None:
    other = Company(company.store, "other")
    company.publish(company.write("p1"))
    with company.store.read() as c:
        assert resources.resolve(c, other.source, "key", ["p1"]) == {}


def test_two_spellings_of_a_name_are_both_answered(company: Company) -> None:
    company.publish(company.write("p1"))
    with company.store.read() as c:
        refs = ["p1@example.com", "P1@EXAMPLE.COM"]
        assert set(resources.resolve(c, company.source, "userName", refs)) == set(refs)


def test_holders_are_found_over_all_sources(company: Company) -> None:
    other = Company(company.store, "other")
    other.epoch = company.epoch
    company.publish(company.write("p1", "Same@x.y"))
    other.publish(other.write("q1", "same@X.y"))
    with company.store.read() as c:
        found = resources.holders(c, ["same@x.y", "nobody"])
    assert [(person.key, person.source_id) for person in found.pop("same@x.y")] == [
        ("p1", company.source),
        ("q1", other.source),
    ]
    assert found == {}


@pytest.mark.parametrize("text", ["P1@Example.com", "E1", "p1", "the id"])
def test_a_person_is_found_by_any_name(company: Company, text: str) -> None:
    write = company.write("p1", externalId="E1")
    company.publish(write, company.write("p2"))
    with company.store.read() as c:
        assert keys(resources.find(c, write.id if text == "the id" else text)) == ["p1"]
        assert resources.find(c, "nobody") == []


def test_everybody_whom_a_text_names_is_found(company: Company) -> None:
    company.publish(company.write("p1", externalId="p2"), company.write("p2"))
    with company.store.read() as c:
        assert keys(resources.find(c, "p2")) == ["p1", "p2"]


def test_people_are_listed_in_order_of_position(company: Company) -> None:
    other = Company(company.store, "other")
    other.epoch = company.epoch
    company.publish(company.write("b"), company.write("a", active=False))
    other.publish(other.write("c"))
    with company.store.read() as c:
        assert keys(resources.listing(c)) == ["b", "a", "c"]
        assert keys(resources.listing(c, after_position=1, limit=1)) == ["a"]
        assert keys(resources.listing(c, source_id=other.source)) == ["c"]
        assert keys(resources.listing(c, active=True)) == ["b", "c"]
        assert keys(resources.listing(c, active=False)) == ["a"]


def test_a_source_is_registered_once_and_its_file_noted(company: Company) -> None:
    with company.store.write() as c:
        again = sources.register(c, "hr", "elsewhere.yaml")
        sources.pause(c, company.source, "its file is gone")
        found = sources.get(c, "hr")
        assert sources.get(c, "nobody") is None
    assert (again.id, again.file) == (company.source, "elsewhere.yaml")
    assert found is not None
    assert (found.file, found.paused) == ("elsewhere.yaml", "its file is gone")
