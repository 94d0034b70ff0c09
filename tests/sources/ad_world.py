"""A domain as tests see it: its settings, and what a fake controller says of itself."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from uuid import UUID

from bridge.model import Wanted
from bridge.sources import active_directory
from bridge.sources.active_directory import AdSource
from tests.servers.samba import ADMIN, DOMAIN, PASSWORD
from tests.sources.contract import Reading

WAYS = ("DirSync", "uSNChanged")
"""In which ways a controller tells changes."""

Object = tuple[str, Mapping[str, Any]]


def opened(url: str, wanted: Wanted, **more: Any) -> AdSource:
    settings = {"url": url, "base": DOMAIN, "bind_dn": ADMIN, "password": PASSWORD, **more}
    return active_directory.open(
        active_directory.Settings.model_validate(settings), Path("/"), wanted
    )


def root(
    usn: int = 100, service: bytes = b"CN=NTDS Settings", time: bytes = b"20260615120000.0Z"
) -> Object:
    return "", {
        "dsServiceName": [service],
        "highestCommittedUSN": [str(usn).encode()],
        "defaultNamingContext": [DOMAIN.encode()],
        "currentTime": [time],
    }


def invocation(id: bytes = b"i" * 16) -> Object:
    return "CN=NTDS Settings", {"invocationId": [id]}


def someone(number: int, **more: Any) -> Object:
    guid = UUID(int=number)
    name = f"<GUID={guid}>;<SID=S-1-5-21-{number}>;CN=u{number},{DOMAIN}"
    return name, {"objectGUID": [guid.bytes_le], "cn": [b"u%d" % number], **more}


def cookie_of(reading: Reading) -> Any:
    """What the cookie of a reading says."""
    assert reading.cookie is not None
    return json.loads(reading.cookie)
