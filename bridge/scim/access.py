"""Who may read: the token a request carries, checked against the store."""

from __future__ import annotations

import binascii
import hashlib
from base64 import b64decode
from dataclasses import dataclass
from datetime import UTC, datetime
from time import monotonic

from starlette.concurrency import run_in_threadpool
from starlette.types import Scope

from bridge.scim.errors import ScimError, later
from bridge.scim.limiter import Limiter
from bridge.scim.usage import Usage
from bridge.store import Store, tokens

_CHECK_AGAIN_AFTER = 1.0
"""Seconds for which a token that was good is taken as good: a revoked one dies within them."""
_REMEMBERED = 1000


@dataclass(frozen=True, slots=True)
class Client:
    """A client with a good token; ``name`` is the token's."""

    token_id: int
    name: str


class Access:
    """Checks every request's token; limits wrong ones by address, never a good one."""

    def __init__(self, store: Store, usage: Usage) -> None:
        self._store = store
        self._usage = usage
        self._limiter = Limiter()
        # By the digest of the header's value, so that no secret stays in memory.
        self._good: dict[bytes, tuple[Client, float]] = {}

    async def admit(self, scope: Scope) -> Client:
        """The client that a request comes from. Raises `ScimError` 401, or 429 with a wait."""
        headers = dict(scope["headers"])
        value: bytes = headers.get(b"authorization", b"")
        address = scope["client"][0] if scope.get("client") else ""
        digest = hashlib.sha256(value).digest()
        client, until = self._good.get(digest, (None, 0.0))
        if client is None or until < monotonic():
            client = await self._check(value, digest, address)
        self._usage.note(client.token_id, address, headers.get(b"user-agent", b""))
        return client

    async def _check(self, value: bytes, digest: bytes, address: str) -> Client:
        until = monotonic() + _CHECK_AGAIN_AFTER
        self._good.pop(digest, None)
        secret = secret_of(value)
        if not value:
            raise _unauthorized("A token is needed: `Authorization: Bearer TOKEN`.")
        client = await run_in_threadpool(self._look_up, secret) if secret else None
        if client is None:
            wait = self._limiter.fail(address)
            if wait:
                raise later(429, "Too many wrong tokens came from this address.", wait)
            raise _unauthorized("The token is unknown, expired or revoked.")
        if len(self._good) >= _REMEMBERED:
            self._good.clear()
        self._good[digest] = (client, until)
        return client

    def _look_up(self, secret: str) -> Client | None:
        with self._store.read() as connection:
            row = tokens.authenticate(connection, secret, datetime.now(UTC))
        return None if row is None or row.id is None else Client(row.id, row.name)


def secret_of(value: bytes) -> str:
    """The token in an ``Authorization`` header's value; empty where there is none.

    It may stand alone, after ``Bearer``, or be the password of ``Basic``: Okta's apps do each.
    """
    scheme, _, rest = value.decode("latin-1").strip().partition(" ")
    rest = rest.strip()
    match scheme.lower():
        case "bearer":
            return rest
        case "basic":
            try:
                decoded = b64decode(rest, validate=True).decode()
            except (binascii.Error, ValueError):
                return ""
            return decoded.partition(":")[2]
        case _:
            return "" if rest else scheme


def _unauthorized(detail: str) -> ScimError:
    return ScimError(401, detail, www_authenticate='Bearer realm="bridge", Basic realm="bridge"')
