"""Who may see what, and the figures for Prometheus."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from structlog.testing import capture_logs

from bridge.settings import Settings
from bridge.store import plans, runs, sources, tokens, watch
from bridge.store.plans import PlanChange
from tests.health.conftest import HOUR, World


def test_whoever_asks_is_told_that_the_web_role_is_alive(world: World) -> None:
    answer = world.get("/healthz", "203.0.113.7")
    assert (answer.status_code, answer.json()) == (200, {"alive": True})
    with world.store.write() as c:
        sources.pause(c, world.company.source, "its file is gone")
    assert world.get("/healthz").status_code == 200


ACCESS = {
    "this machine": ("127.0.0.1", {}, 200),
    "this machine by IPv6": ("::1", {}, 200),
    "this machine, seen by a socket of IPv6": ("::ffff:127.0.0.1", {}, 200),
    "a network that is allowed": ("10.1.2.3", {}, 200),
    "another network": ("10.2.2.3", {}, 401),
    "a proxy on this machine": ("127.0.0.1", {"X-Forwarded-For": "127.0.0.1"}, 401),
    "another proxy on this machine": ("127.0.0.1", {"Forwarded": "for=127.0.0.1"}, 401),
    "a socket without addresses": ("", {}, 401),
    "a wrong token": ("10.2.2.3", {"Authorization": "Bearer brg_wrong"}, 401),
}


@pytest.mark.parametrize(("address", "headers", "status"), ACCESS.values(), ids=ACCESS)
def test_the_metrics_are_for_those_who_are_near(
    world: World, address: str, headers: dict[str, str], status: int
) -> None:
    world.settings = Settings(metrics_from="10.1.0.0/16, fd00::/8")
    assert world.get("/metrics", address, **headers).status_code == status


def test_the_metrics_are_for_whoever_has_a_token(world: World) -> None:
    for forwarded in ({}, {"X-Forwarded-For": "203.0.113.7"}):
        bearer = {"Authorization": f"Bearer {world.token}", **forwarded}
        assert world.get("/metrics", "203.0.113.7", **bearer).status_code == 200


def test_the_figures_are_those_of_the_store(world: World) -> None:
    with world.store.write() as c:
        began = world.company.now
        for verdict, seconds in (("COMPLETE", 2), ("COMPLETE", 3), ("FAILED", 4), ("", 1)):
            run = runs.start(c, world.company.source, "full", "schedule", began)
            runs.finish(c, run, began + timedelta(seconds=1), verdict=verdict)
            # A run that edits ends twice; the time goes on from the first end.
            runs.finish(c, run, began + timedelta(seconds=seconds), verdict=verdict)
        kinds = [PlanChange(key, "absent", "inactive", "fact") for key in ("ann", "ben")]
        plans.create(c, world.company.source, plans.CHANGES, kinds, 1, began)
        watch.read(c, world.company.source, began - HOUR, began + 60 * HOUR, began + 12 * HOUR,
                   timedelta(seconds=-7))  # fmt: skip
    figures = world.figures()
    expected = {
        'bridge_people{source="hr",state="active"}': 1,
        'bridge_people{source="hr",state="inactive"}': 1,
        'bridge_runs_total{source="hr",verdict="COMPLETE"}': 2,
        'bridge_runs_total{source="hr",verdict="FAILED"}': 1,
        'bridge_runs_total{source="hr",verdict="none"}': 1,
        'bridge_run_seconds_total{source="hr",verdict="COMPLETE"}': 5,
        'bridge_run_seconds_total{source="hr",verdict="FAILED"}': 4,
        'bridge_held_changes{kind="absent",source="hr"}': 2,
        'bridge_problems{source="hr"}': 0,
        'bridge_source_paused{source="hr"}': 0,
        "bridge_daemon": 1,
        "bridge_fresh": 0,
        'bridge_requests_total{code="401",route="none"}': 1,
        'bridge_requests_total{code="200",route="/scim/v2/Users"}': 1,
    }
    assert expected.items() <= figures.items()
    assert figures['bridge_read_age_seconds{source="hr"}'] == pytest.approx(3600, abs=300)
    assert figures['bridge_complete_read_age_seconds{source="hr"}'] == pytest.approx(0, abs=300)
    assert figures['bridge_certificate_days{of="hr"}'] == pytest.approx(2.5, abs=0.1)
    assert figures['bridge_password_days{source="hr"}'] == pytest.approx(0.5, abs=0.1)
    assert figures['bridge_clock_skew_seconds{source="hr"}'] == -7
    assert figures["bridge_store_bytes"] > 100_000


def test_the_days_of_the_own_certificate_and_the_last_import_are_figures(world: World) -> None:
    world.certificate_ends = lambda: datetime.now(UTC) + timedelta(days=30)
    world.get("/scim/v2/Users?startIndex=1", Authorization=f"Bearer {world.token}")
    with world.store.write() as c:
        _, newer = tokens.rotate(c, "okta", HOUR, world.company.now)
    world.get("/scim/v2/Users?startIndex=2", Authorization=f"Bearer {newer}")
    figures = world.figures()
    assert figures['bridge_certificate_days{of="web"}'] == pytest.approx(30, abs=0.1)
    assert figures['bridge_import_age_seconds{client="okta",kind="User"}'] < 300
    assert not [name for name in figures if "Group" in name and "age" in name]


@pytest.mark.parametrize("query", ["count=1", "count=0", 'filter=userName eq "ann@example.com"'])
def test_a_list_that_was_not_read_to_its_end_is_no_import(world: World, query: str) -> None:
    world.get(f"/scim/v2/Users?{query}", Authorization=f"Bearer {world.token}")
    assert not [name for name in world.figures() if name.startswith("bridge_import_age")]


def test_nothing_personal_is_in_any_of_it(world: World) -> None:
    with world.store.write() as c:
        plan = PlanChange("ann", "absent", "inactive", "fact", "ann@example.com", "inactive")
        at = world.company.now - 30 * HOUR
        plans.create(c, world.company.source, plans.CHANGES, [plan], 1, at)
    for path in ("/healthz", "/healthz/fresh", "/metrics"):
        text = world.get(path).text
        assert "ann@" not in text
        assert '"ann"' not in text
        assert world.token not in text


def test_probes_are_no_lines_of_the_log(world: World) -> None:
    with capture_logs() as logged:
        world.get("/healthz")
    levels = {line["route"]: line["log_level"] for line in logged}
    assert (levels["/healthz"], levels["/scim/v2/Users"]) == ("debug", "info")
