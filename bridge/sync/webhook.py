"""Messages to a person's attention over HTTP, signed as Standard Webhooks says.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Any

import httpx
import orjson

from bridge.errors import WebhookFailed

_SECONDS = 10.0
_GLOBAL_UNICAST = ip_network("2000::/3")
"""All of IPv6 that leads to other machines of the world (RFC 4291 section 2.4)."""
_NAT64 = ip_network("64:ff9b::/96")
"""IPv4 as a network without it calls it (RFC 6052)."""


@dataclass(frozen=True, slots=True)
class Message:
    """What is told: ``type`` says of what, ``id`` stays the same however often it is sent."""

    id: str
    type: str
    at: datetime
    data: Mapping[str, Any]

    @property
    def body(self) -> bytes:
        """JSON with ``type``, ``timestamp`` and ``data``; no value of a person is in it."""
        at = self.at.isoformat(timespec="seconds").replace("+00:00", "Z")
        return orjson.dumps({"type": self.type, "timestamp": at, "data": dict(self.data)})


@dataclass(frozen=True, slots=True)
class Webhook:
    """One receiver of messages.

    ``key`` signs them. An address of a private network is refused, unless ``private``: a setting
    that somebody else may write must not reach what this machine alone can reach.
    """

    url: str
    key: bytes = field(repr=False)
    private: bool = False

    def send(self, message: Message, now: datetime) -> None:
        """Deliver a message once; raises `WebhookFailed` where that was not confirmed."""
        url = httpx.URL(self.url)
        body = message.body
        request = httpx.Request(
            "POST",
            # By the address that was looked at: the name may mean another one a moment later.
            url.copy_with(host=self._address(url)),
            content=body,
            headers={
                "host": url.netloc.decode("ascii"),
                "content-type": "application/json",
                "user-agent": "bridge",
                "webhook-id": message.id,
                "webhook-timestamp": str(int(now.timestamp())),
                "webhook-signature": self._signature(message.id, int(now.timestamp()), body),
            },
            extensions={"sni_hostname": url.host},
        )
        try:
            # No proxy and no .netrc of the environment: what is sent goes where it says. The
            # authorities trusted are this machine's.
            tls = ssl.create_default_context()
            with httpx.Client(timeout=_SECONDS, trust_env=False, verify=tls) as client:
                answer = client.send(request, stream=True)
                answer.close()
        except httpx.HTTPError as error:
            raise WebhookFailed(f"{url.host} did not take it ({_words(error)})") from None
        if not answer.is_success:
            raise WebhookFailed(f"{url.host} answered {answer.status_code}")

    def _signature(self, id: str, timestamp: int, body: bytes) -> str:
        signed = b"%b.%d.%b" % (id.encode(), timestamp, body)
        return "v1," + base64.b64encode(hmac.digest(self.key, signed, hashlib.sha256)).decode()

    def _address(self, url: httpx.URL) -> str:
        try:
            found = socket.getaddrinfo(url.host, None, type=socket.SOCK_STREAM)
        except OSError as error:
            raise WebhookFailed(f"{url.host} has no address ({error.strerror})") from None
        addresses = [str(address[0]) for *_, address in found]
        if not self.private and not all(map(_is_public, addresses)):
            raise WebhookFailed(
                f"{url.host} is an address of a private network: set BRIDGE_WEBHOOK_PRIVATE=true "
                "if it is meant to be"
            )
        return addresses[0]


def _is_public(text: str) -> bool:
    address = ip_address(text.partition("%")[0])
    if isinstance(address, IPv6Address):
        # A gateway would take it to the IPv4 address in it.
        within = address.ipv4_mapped or address.sixtofour
        if within is None and address in _NAT64:
            within = IPv4Address(address.packed[-4:])
        if within is None and address not in _GLOBAL_UNICAST:
            return False
        address = within or address
    return address.is_global and not address.is_multicast


def _words(error: httpx.HTTPError) -> str:
    if isinstance(error, httpx.TimeoutException):
        return f"no answer within {_SECONDS:.0f} s"
    return str(error) or type(error).__name__
