"""The checks of scim2-tester, an independent judge, on a running bridge."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from scim2_client import BaseSyncSCIMClient
from scim2_tester import CheckResult, Status, check_server

from tests.processes import Bridge

CHECKS = {"discovery", "misc", "crud:read"}


class Client(BaseSyncSCIMClient):
    """Asks over HTTP; whom the judge would create is somebody who is there already."""

    def __init__(self, http: httpx.Client) -> None:
        super().__init__()
        self._http = http

    def _stays_under_base_url(self, endpoint: str) -> bool:
        return not endpoint.startswith("http")

    def _parse_json(self, response: Any) -> Any:
        return response.json()

    def request(self, method: str, url: str, **kwargs: Any) -> httpx.Response:
        return self._http.request(method, url, **kwargs)

    def create(  # type: ignore[override]
        self, resource: Any, *args: Any, **kwargs: Any
    ) -> Any:
        return self.query(type(resource)).resources[0]

    def delete(self, *args: Any, **kwargs: Any) -> None:
        pass


@pytest.fixture
def results(bridge: Bridge) -> list[CheckResult]:
    groups = "groups: [ { key: dept, displayName: dept } ]\nlimits:"
    custom = "custom: { urn: 'urn:example:1.0:User', attributes: { mail2: { type: string"
    bridge.edit("limits:", f"{custom}, expr: mail }} }} }}\n{groups}")
    with bridge.start("serve", "--new-token", "judge") as running:
        token = running.wait_for("Token").split()[1]
        running.wait_for("curl")
        headers = {"Authorization": f"Bearer {token}"}
        with httpx.Client(base_url=bridge.base, headers=headers) as http:
            found = check_server(Client(http), include_tags=CHECKS)
        assert running.end() == 0
    return found


def test_every_check_of_reading_and_discovery_passes(results: list[CheckResult]) -> None:
    judged = [result for result in results if result.status is not Status.SKIPPED]
    assert [(r.title, r.reason) for r in judged if r.status is not Status.SUCCESS] == []
    assert {tag for result in judged for tag in result.tags} > CHECKS
    assert {(r.resource_type, r.title) for r in judged if r.resource_type} == {
        (kind, title)
        for kind in ("User", "Group")
        for title in ("object_query", "object_query_without_id")
    }
