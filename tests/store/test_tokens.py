"""Tokens and what is remembered of their use."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import make_url

from bridge.errors import UsageError
from bridge.store import Store, tokens
from bridge.store.activity import Activity, Use
from tests.store.company import NOON

DAY = timedelta(days=1)


def test_a_token_is_shown_once_and_only_its_hash_is_stored(store: Store) -> None:
    with store.write() as c:
        row, secret = tokens.create(c, "okta", None, NOON)
        assert re.fullmatch(r"brg_[A-Za-z0-9_-]{43}", secret)
        assert tokens.listing(c) == [row]
        assert secret.encode() not in repr(row).encode()
        assert (row.hint, row.name) == (secret[:8], "okta")


def test_a_good_token_is_known_and_nothing_else(store: Store) -> None:
    with store.write() as c:
        row, secret = tokens.create(c, "okta", NOON + DAY, NOON)
        assert tokens.authenticate(c, secret, NOON) == row
        assert tokens.authenticate(c, secret, NOON + DAY) is None, "it has expired"
        for wrong in ("", "brg_", secret[:-1], secret + "A", secret.swapcase(), "\ud800", "\0"):
            assert tokens.authenticate(c, wrong, NOON) is None


def test_two_tokens_are_good_while_one_is_rotated(store: Store) -> None:
    with store.write() as c:
        _, old = tokens.create(c, "okta", None, NOON)
        row, new = tokens.rotate(c, "okta", DAY, NOON)
        for at, good in ((NOON, {old, new}), (NOON + DAY, {new})):
            assert {one for one in (old, new) if tokens.authenticate(c, one, at)} == good
        assert row.expires_at is None


def test_rotating_never_prolongs_a_token(store: Store) -> None:
    with store.write() as c:
        _, old = tokens.create(c, "okta", NOON + DAY, NOON)
        tokens.rotate(c, "okta", 7 * DAY, NOON)
        assert tokens.authenticate(c, old, NOON + DAY) is None
        with pytest.raises(UsageError, match="no token named 'nobody'"):
            tokens.rotate(c, "nobody", DAY, NOON)


def test_a_revoked_token_is_refused_at_once(store: Store) -> None:
    with store.write() as c:
        secrets = [tokens.create(c, name, None, NOON)[1] for name in ("okta", "okta", "other")]
        assert tokens.revoke(c, "okta", NOON) == 2
        assert tokens.revoke(c, "okta", NOON) == 0
        good = [bool(tokens.authenticate(c, secret, NOON)) for secret in secrets]
    assert good == [False, False, True]


@pytest.mark.parametrize("name", ["", "two\nlines", "\x1b[31m"])
def test_a_name_is_one_line_of_text(store: Store, name: str) -> None:
    with store.write() as c, pytest.raises(UsageError):
        tokens.create(c, name, None, NOON)


def test_the_last_use_of_each_token_is_remembered(store: Store) -> None:
    activity = Activity.open(store.url)
    activity.note([Use(1, NOON, "192.0.2.1", "Okta"), Use(2, NOON, "192.0.2.2", "curl")])
    activity.note([Use(1, NOON + DAY, "2001:db8::1", "Okta")])
    activity.note([Use(2, NOON - DAY, "192.0.2.9", "late")])
    activity.note([])
    expected = {
        1: Use(1, NOON + DAY, "2001:db8::1", "Okta"),
        2: Use(2, NOON, "192.0.2.2", "curl"),
    }
    assert activity.last_uses() == expected
    activity.close()
    again = Activity.open(store.url)
    assert again.last_uses() == expected
    again.close()


def test_the_use_of_tokens_is_a_file_beside_the_store_that_a_writer_does_not_block(
    tmp_path: Path,
) -> None:
    store = Store.open(f"sqlite:///{tmp_path}/bridge.db")
    with store.write():
        activity = Activity.open(store.url)
        activity.note([Use(1, NOON, "192.0.2.1", "Okta")])
        activity.close()
    store.close()
    assert (tmp_path / "bridge-activity.db").stat().st_mode & 0o777 == 0o600
    (tmp_path / "bridge-activity.db").unlink()
    again = Activity.open(make_url(f"sqlite:///{tmp_path}/bridge.db"))
    assert again.last_uses() == {}
    again.close()
