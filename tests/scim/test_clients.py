"""Requests as identity providers send them, from the files in ``requests/``."""

from __future__ import annotations

from base64 import b64encode
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

if TYPE_CHECKING:
    from tests.scim.conftest import Client


class Case(NamedTuple):
    title: str
    request: str
    headers: dict[str, str]
    answer: list[str]


def cases() -> list[Case]:
    found = []
    for file in sorted(Path(__file__).with_name("requests").glob("*.http")):
        for block in file.read_text("utf-8").split("\n### ")[1:]:
            title, request, *headers, answer = block.strip().splitlines()
            named = dict(header.split(": ", 1) for header in headers)
            found.append(
                Case(f"{file.stem}: {title}", request, named, answer.removeprefix("> ").split())
            )
    return found


@pytest.mark.parametrize("case", cases(), ids=lambda case: case.title)
def test_a_client_gets_its_answer(case: Case, ask: Client) -> None:
    basic = b64encode(f"anybody:{ask.token}".encode()).decode()
    values = ask.ids | {"token": ask.token, "basic": basic}
    method, target, _ = case.request.format_map(values).split(" ")
    headers = {name: value.format_map(values) for name, value in case.headers.items()}
    status, *expected = case.answer

    reply = ask(target, method, headers)

    assert reply.status == int(status)
    assert reply.headers["content-type"] == "application/scim+json"
    if reply.status != 200:
        assert reply.json["status"] == status
        assert reply.json["schemas"] == ["urn:ietf:params:scim:api:messages:2.0:Error"]
        assert reply.json["detail"]
        assert [reply.json[key] for key in reply.json if key == "scimType"] == expected
        return
    total, *names = expected
    rows = reply.json["Resources"] if total != "-" else [reply.json]
    assert [row.get("userName") or row.get("displayName") or row["name"] for row in rows] == names
    if total != "-":
        assert reply.json["totalResults"] == int(total)
        assert reply.json["itemsPerPage"] == len(names)
