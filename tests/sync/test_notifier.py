"""Every held plan is told to the webhook, once, whatever happens in between."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from structlog.testing import capture_logs

from bridge.store import plans
from bridge.sync.notifier import Notifier
from bridge.sync.webhook import Webhook
from tests.processes import Bridge
from tests.servers.receiver import Receiver, receiving
from tests.sync.conftest import Company

KEY = b"0123456789abcdef01234567"
SECRET = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


def notifier(company: Company, receiver: Receiver) -> Notifier:
    webhook = Webhook(receiver.url, KEY, private=True)
    return Notifier(company.store, webhook, lambda: company.now)


def told(receiver: Receiver) -> list[dict[str, Any]]:
    return [json.loads(body)["data"] for _, body in receiver.got]


def held(company: Company, *numbers: int) -> None:
    company.leave(*numbers)
    company.update()


def test_a_held_plan_is_told_once_with_numbers_and_no_names(
    company: Company, receiver: Receiver
) -> None:
    company.update()
    notifier(company, receiver).look()
    assert receiver.got == []
    held(company, 1, 2, 3, 4)
    for _ in range(3):  # as after as many starts of the daemon
        notifier(company, receiver).look()
    short = company.plan().hash[: plans.SHOWN]
    assert told(receiver) == [
        {
            "plan": short,
            "source": "hr",
            "purpose": "changes",
            "changes": {"disabled": 4},
            "created": "2026-06-15T12:00:00Z",
            "next": f"bridge plan show {short}",
        }
    ]
    ((_, body),) = receiver.got
    assert not [key for key in company.rows if key.encode() in body]
    assert b"example.com" not in body


def test_what_comes_after_it_is_told_as_well(company: Company, receiver: Receiver) -> None:
    company.update()
    teller = notifier(company, receiver)
    held(company, 1, 2, 3, 4)
    teller.look()
    company.approve()
    teller.look()
    assert len(receiver.got) == 1
    held(company, 5, 6, 7, 8)
    teller.look()
    assert [each["changes"] for each in told(receiver)] == [{"disabled": 4}] * 2
    assert len({headers["webhook-id"] for headers, _ in receiver.got}) == 2


def test_what_was_not_taken_is_sent_again_later_under_the_same_id(
    company: Company, receiver: Receiver
) -> None:
    company.update()
    held(company, 1, 2, 3, 4)
    receiver.status = 503
    teller = notifier(company, receiver)
    with capture_logs() as logs:
        for _ in range(4):
            teller.look()
        assert len(receiver.got) == 1
        company.now += timedelta(seconds=6)
        teller.look()
        teller.look()
        assert len(receiver.got) == 2
        company.now += timedelta(seconds=31)
        receiver.status = 204
        teller.look()
    assert [line["event"] for line in logs] == ["cannot tell the webhook"] * 2 + [
        "told the webhook"
    ]
    assert len({headers["webhook-id"] for headers, _ in receiver.got}) == 1
    teller.look()
    assert len(receiver.got) == 3


def test_a_plan_that_was_decided_before_it_could_be_told_is_not_told(
    company: Company, receiver: Receiver
) -> None:
    company.update()
    held(company, 1, 2, 3, 4)
    receiver.status = 500
    teller = notifier(company, receiver)
    teller.look()
    company.reject()
    company.now += timedelta(hours=1)
    receiver.status = 204
    teller.look()
    assert len(receiver.got) == 1


def test_it_ends_when_it_is_told_to(company: Company, receiver: Receiver) -> None:
    ended = threading.Event()
    thread = threading.Thread(target=notifier(company, receiver).run, args=(ended,))
    thread.start()
    ended.set()
    thread.join(10)
    assert not thread.is_alive()


def test_the_daemon_tells_of_a_held_first_load_and_the_command_of_itself(
    bridge: Bridge, receiver: Receiver
) -> None:
    bridge.edit("limits: { first_load: publish }", "")
    bridge.settings |= {
        "BRIDGE_WEBHOOK": receiver.url,
        "BRIDGE_WEBHOOK_SECRET": SECRET,
        "BRIDGE_WEBHOOK_PRIVATE": "true",
    }
    assert bridge.run("webhook").returncode == 0
    assert [json.loads(body)["type"] for _, body in receiver.got] == ["test"]
    receiver.got.clear()
    with bridge.start("syncd") as running:
        running.wait_for("told the webhook")
        assert [each["purpose"] for each in told(receiver)] == ["first_load"]
        assert running.end() == 0


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({}, "there is no webhook: set BRIDGE_WEBHOOK"),
        ({"BRIDGE_WEBHOOK": "https://x.example.com"}, "BRIDGE_WEBHOOK_SECRET are set together"),
        ({"BRIDGE_WEBHOOK": "x.example.com"}, "BRIDGE_WEBHOOK: is a URL"),
        ({"BRIDGE_WEBHOOK": "http://x.example.com", "BRIDGE_WEBHOOK_SECRET": SECRET}, "https://"),
        ({"BRIDGE_WEBHOOK_SECRET": "whsec_c2hvcnQ="}, "base64 of 24 to 64 bytes"),
        ({"BRIDGE_WEBHOOK_SECRET": SECRET.removeprefix("whsec_")}, "base64 of 24 to 64 bytes"),
    ],
)
def test_settings_that_cannot_work_are_refused_in_words(
    bridge: Bridge, settings: dict[str, str], words: str
) -> None:
    bridge.settings |= settings
    ran = bridge.run("webhook")
    assert ran.returncode == 2
    assert words in ran.stderr
    assert not any(
        value in ran.stderr for name, value in settings.items() if name.endswith("SECRET")
    )
