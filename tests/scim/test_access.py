"""Who may read: tokens as clients send them, and how often they may be wrong."""

from __future__ import annotations

from base64 import b64encode
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from bridge.scim.access import secret_of
from bridge.store import Store, tokens

if TYPE_CHECKING:
    from tests.scim.conftest import Client

USERS = "/scim/v2/Users"


def basic(text: str) -> str:
    return "Basic " + b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    "value",
    [
        "Bearer {token}",
        "bearer {token}",
        "BEARER   {token} ",
        "{token}",
        " {token} ",
        basic("okta:{token}"),
        basic(":{token}"),
        basic("with spaces and ümlauts:{token}"),
    ],
)
def test_a_token_is_taken_from_each_place_clients_put_it(value: str) -> None:
    if value.lower().startswith("basic"):
        assert secret_of(value.encode()) == "{token}"
    else:
        assert secret_of(value.format(token="brg_x").encode()) == "brg_x"


@pytest.mark.parametrize(
    "value",
    ["", "Bearer", "Bearer ", "Basic", "Basic !!", basic("no colon"), "Digest a=b", "Basic /w=="],
)
def test_nothing_else_is_taken_for_a_token(value: str) -> None:
    assert secret_of(value.encode()) in ("", "Bearer", "Basic")


@pytest.mark.parametrize("path", [USERS, "/scim/v2/Schemas", "/scim/v2/nothing", "/scim", "/scim/"])
@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": ""},
        {"Authorization": "Bearer"},
        {"Authorization": "Bearer brg_wrong"},
        {"Authorization": "brg_wrong"},
        {"Authorization": basic("brg_wrong")},
        {"Authorization": "Bearer ÿ"},
    ],
)
def test_without_a_good_token_everything_is_refused(
    path: str, headers: dict[str, str], ask: Client
) -> None:
    reply = ask(path, headers=headers)
    assert (reply.status, reply.json["status"]) == (401, "401")
    assert "Bearer" in reply.headers["www-authenticate"]
    assert "wrong" not in reply.body.decode()


def test_an_expired_token_is_refused(ask: Client, store: Store) -> None:
    now = datetime.now(UTC)
    with store.write() as c:
        _, old = tokens.create(c, "old", now - timedelta(seconds=1), now - timedelta(days=1))
    assert ask(USERS, headers={"Authorization": f"Bearer {old}"}).status == 401


def test_both_tokens_are_good_while_one_replaces_the_other(ask: Client, store: Store) -> None:
    with store.write() as c:
        _, new = tokens.rotate(c, "okta", timedelta(days=1), datetime.now(UTC))
    for token in (ask.token, new):
        assert ask(USERS, headers={"Authorization": f"Bearer {token}"}).status == 200


def test_a_revoked_token_dies_within_a_second(
    ask: Client, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [1000.0]
    monkeypatch.setattr("bridge.scim.access.monotonic", lambda: clock[0])
    assert ask(USERS).status == 200
    with store.write() as c:
        tokens.revoke(c, "okta", datetime.now(UTC))
    clock[0] += 1.001
    assert ask(USERS).status == 401


def test_a_token_is_not_looked_up_again_for_every_page(
    ask: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked_up = []
    real = tokens.authenticate

    def counted(*args: object) -> object:
        looked_up.append(1)
        return real(*args)  # type: ignore[arg-type]

    monkeypatch.setattr("bridge.scim.access.monotonic", lambda: 1000.0)
    monkeypatch.setattr("bridge.store.tokens.authenticate", counted)
    assert [ask(USERS).status for _ in range(5)] == [200] * 5
    assert len(looked_up) == 1


def test_wrong_tokens_are_limited_by_address_and_good_ones_never(ask: Client) -> None:
    wrong = {"Authorization": "Bearer brg_wrong"}
    replies = [ask(USERS, headers=wrong) for _ in range(12)]
    assert [reply.status for reply in replies[:10]] == [401] * 10
    assert replies[-1].status == 429
    assert int(replies[-1].headers["retry-after"]) > 0
    assert replies[-1].json["status"] == "429"
    assert ask(USERS).status == 200
    ask.address = "192.0.2.2"
    assert ask(USERS, headers=wrong).status == 401
