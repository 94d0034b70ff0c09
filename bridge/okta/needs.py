"""What Okta needs of an answer; a sentence for each thing that is otherwise.

Rows are named by id, and the sentences hold nobody's values.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

_MAIL = re.compile(r"[^@\s]+@[^@\s]+")


def page_faults(page: Mapping[str, Any], start: int, asked: int) -> Iterator[str]:
    """What is wrong with a list answer that was asked for from ``start``, ``asked`` rows long."""
    where = f"page from {start}"
    for name in ("totalResults", "startIndex", "itemsPerPage"):
        if type(page.get(name)) is not int:
            yield f"{where}: {name} is not a JSON integer"
    if page.get("startIndex") != start:
        yield f"{where}: startIndex is not the one that was asked for"
    rows = page.get("Resources")
    if not isinstance(rows, list):
        yield f"{where}: Resources is not an array"
        return
    if page.get("itemsPerPage") != len(rows):
        yield f"{where}: itemsPerPage is not the number of rows"
    total = page.get("totalResults")
    if isinstance(total, int) and len(rows) != max(0, min(asked, total - start + 1)):
        yield f"{where}: not as many rows as totalResults leaves, so somebody is lost"


def row_faults(row: Mapping[str, Any]) -> Iterator[str]:
    """What is wrong with one user."""
    id = row.get("id")
    if not isinstance(id, str) or not id:
        yield "a row has no id"
        return
    for fault in _faults(row):
        yield f"{id}: {fault}"


def _faults(row: Mapping[str, Any]) -> Iterator[str]:
    if _has_empty(row):
        yield "something is null or empty instead of left out"
    if type(row.get("active")) is not bool:
        yield "active is not a JSON boolean"
    name = row.get("userName")
    if not _is_text(name, 5, 100) or not _MAIL.fullmatch(str(name)):
        yield "userName is not an e-mail address of 5 to 100 characters"
    names = row.get("name")
    for part in ("givenName", "familyName"):
        if not isinstance(names, dict) or not _is_text(names.get(part), 1, 50):
            yield f"name.{part} is not a text of 1 to 50 characters"
    emails = [email for email in row.get("emails") or [] if isinstance(email, dict)]
    if sum(email.get("primary") is True for email in emails) != 1:
        yield "not exactly one of emails is primary"
    if not all(_is_text(email.get("value"), 1, 100) for email in emails):
        yield "the value of one of emails is not a text of 1 to 100 characters"
    meta = row.get("meta")
    if not isinstance(meta, dict) or meta.get("resourceType") != "User":
        yield "meta.resourceType is not User"
    if not isinstance(meta, dict) or not _is_text(meta.get("location"), 1, 8000):
        yield "meta.location is missing"
    schemas = row.get("schemas")
    if not isinstance(schemas, list) or not schemas:
        yield "schemas is missing"
        return
    for urn, extension in row.items():
        if urn.startswith("urn:") and urn not in schemas:
            yield f"{urn} is not among schemas"
        if urn.startswith("urn:") and isinstance(extension, dict) and "groups" in extension:
            yield f"{urn} has an attribute named groups"


def _is_text(value: object, shortest: int, longest: int) -> bool:
    return isinstance(value, str) and shortest <= len(value) <= longest


def _has_empty(value: object) -> bool:
    if isinstance(value, dict):
        return any(map(_has_empty, value.values()))
    if isinstance(value, list):
        return not value or any(map(_has_empty, value))
    return value is None or value == ""
