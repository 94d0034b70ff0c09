"""Bearer tokens of SCIM clients; the store knows their SHA-256 alone."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from datetime import datetime, timedelta

from sqlalchemy import Connection, insert, or_, select, update

from bridge.errors import UsageError
from bridge.store.statements import model, new_id
from bridge.store.tables import TokenRow, table

PREFIX = "brg_"
"""What every token begins with, so that scanners for leaked secrets know it."""

OVERLAP = timedelta(hours=24)
"""How long an old token stays good after a rotation."""

_tokens = table(TokenRow)


def create(
    c: Connection, name: str, expires: datetime | None, now: datetime
) -> tuple[TokenRow, str]:
    """A new token of 256 bits: its row, and the secret, which nobody can read again."""
    if not name or not name.isprintable():
        raise UsageError("a token's name is one line of text: name the client that will use it")
    secret = PREFIX + secrets.token_urlsafe(32)
    row = TokenRow(
        name=name,
        digest=_digest(secret),
        hint=secret[: len(PREFIX) + 4],
        created_at=now,
        expires_at=expires,
    )
    row.id = new_id(c, insert(_tokens), row.model_dump(exclude={"id"}))
    return row, secret


def authenticate(c: Connection, secret: str, now: datetime) -> TokenRow | None:
    """The token with that secret, if it is good at ``now``."""
    digest = _digest(secret)
    row = c.execute(select(_tokens).where(_tokens.c.digest == digest)).one_or_none()
    if row is None or not hmac.compare_digest(row.digest, digest):
        return None
    token = model(TokenRow, row)
    return token if is_good(token, now) else None


def is_good(token: TokenRow, now: datetime) -> bool:
    """Whether a token is neither revoked nor expired."""
    return token.revoked_at is None and (token.expires_at is None or token.expires_at > now)


def state(token: TokenRow, now: datetime) -> str:
    """``good``, ``revoked`` or ``expired``."""
    if token.revoked_at is not None:
        return "revoked"
    return "good" if is_good(token, now) else "expired"


def rotate(c: Connection, name: str, overlap: timedelta, now: datetime) -> tuple[TokenRow, str]:
    """A new token of the same name; the old ones are good for ``overlap`` longer at most.

    Raises `UsageError` where no good token has that name.
    """
    good = [token for token in _named(c, name) if is_good(token, now)]
    if not good:
        raise UsageError(f"there is no token named {name!r} that is good: create one")
    end = now + overlap
    c.execute(
        update(_tokens)
        .where(_tokens.c.id.in_([token.id for token in good]))
        .where(or_(_tokens.c.expires_at.is_(None), _tokens.c.expires_at > end))
        .values(expires_at=end)
    )
    return create(c, name, None, now)


def revoke(c: Connection, name: str, now: datetime) -> int:
    """End every good token of that name at once and return how many there were."""
    good = [token.id for token in _named(c, name) if is_good(token, now)]
    c.execute(update(_tokens).where(_tokens.c.id.in_(good)).values(revoked_at=now))
    return len(good)


def listing(c: Connection) -> list[TokenRow]:
    """Every token there ever was, the oldest first."""
    return [model(TokenRow, row) for row in c.execute(select(_tokens).order_by(_tokens.c.id))]


def _named(c: Connection, name: str) -> list[TokenRow]:
    statement = select(_tokens).where(_tokens.c.name == name)
    return [model(TokenRow, row) for row in c.execute(statement)]


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()
