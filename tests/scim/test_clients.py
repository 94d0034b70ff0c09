"""Requests as identity providers send them, from the files in ``requests/``."""

from __future__ import annotations

import re
from base64 import b64encode
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

if TYPE_CHECKING:
    from tests.scim.conftest import Client


class Case(NamedTuple):
    title: str
    method: str
    target: str
    headers: dict[str, str]
    body: str
    answer: list[str]
    attributes: list[str]


def cases() -> list[Case]:
    found = []
    for file in sorted(Path(__file__).with_name("requests").glob("*.http")):
        for block in file.read_text("utf-8").split("\n### ")[1:]:
            request, _, told = block.strip().partition("\n> ")
            answer, _, attributes = told.partition("\n> with ")
            head, _, body = request.partition("\n\n")
            title, line, *headers = head.splitlines()
            method, target, _ = line.split(" ")
            named = dict(header.split(": ", 1) for header in headers)
            title = f"{file.stem}: {title}"
            found.append(
                Case(title, method, target, named, body, answer.split(), attributes.split())
            )
    return found


@pytest.mark.parametrize("case", cases(), ids=lambda case: case.title)
def test_a_client_gets_its_answer(case: Case, ask: Client) -> None:
    basic = b64encode(f"anybody:{ask.token}".encode()).decode()
    values = ask.ids | {"token": ask.token, "basic": basic}
    target = case.target.format_map(values)
    headers = {name: value.format_map(values) for name, value in case.headers.items()}
    body = re.sub(r"\{(\w+)\}", lambda found: values[found[1]], case.body)

    reply = ask(target, case.method, headers, body.encode())

    status, *expected = case.answer
    assert reply.status == int(status)
    if reply.status == 204:
        return
    assert reply.headers["content-type"] == "application/scim+json"
    if reply.status != 200:
        assert reply.json["status"] == status
        assert reply.json["schemas"] == ["urn:ietf:params:scim:api:messages:2.0:Error"]
        assert reply.json["detail"]
        assert [reply.json[key] for key in reply.json if key == "scimType"] == expected
        return
    total, *names = expected
    rows = reply.json["Resources"] if total != "-" else [reply.json]
    assert [name_of(row) for row in rows] == names
    if total != "-":
        assert reply.json["totalResults"] == int(total)
        assert reply.json["itemsPerPage"] == len(names)
    for row in rows if case.attributes else ():
        assert row.keys() == set(case.attributes)


def name_of(row: dict[str, Any]) -> str:
    for attribute in ("userName", "displayName", "name"):
        if isinstance(row.get(attribute), str):
            return str(row[attribute])
    return "-"
