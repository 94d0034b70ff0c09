"""Which domain controller answers, in which state, and to whom: what a cookie is good for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from ldap3 import Connection

from bridge.errors import IncompleteRead
from bridge.sources.ldap_look import look

_EXPIRES = "msDS-UserPasswordExpiryTimeComputed"
_FILETIME = datetime(1601, 1, 1, tzinfo=UTC)
_NEVER = (0, 2**63 - 1)


@dataclass(frozen=True, slots=True)
class Controller:
    """Which controller answers, in which state, and the newest change that it has made known.

    ``identity`` is empty where it does not say: nothing of it can be compared with later then.
    ``clock`` is its time as 14 digits in UTC, empty where it does not tell it. ``account`` is the
    SID of who is logged in, empty where nobody is.
    """

    identity: str
    usn: int
    domain: str
    clock: str
    account: bytes = b""


def controller_of(connection: Connection) -> Controller:
    """Who answers. Raises `IncompleteRead` and `ConnectionLost`."""
    asked = ["dsServiceName", "highestCommittedUSN", "defaultNamingContext", "currentTime"]
    root = look(connection, "", [*asked, "tokenGroups"])
    service = _text(root, "dsservicename")
    identity = ""
    if service:
        try:
            shown = look(connection, service, ["invocationId"]).get("invocationid", ())
        except IncompleteRead:
            shown = ()
        identity = f"{service}\n{shown[0].hex()}" if shown else ""
    usn = _text(root, "highestcommittedusn")
    domain = _text(root, "defaultnamingcontext")
    if not usn.isdecimal() or not domain:
        raise IncompleteRead(
            "no highestCommittedUSN or defaultNamingContext: is it Active Directory? (`type: ldap` "
            "reads other directories)"
        )
    # The account itself comes before its groups ([MS-ADTS] 3.1.1.3.2.33).
    (account, *_) = (*root.get("tokengroups", ()), b"")
    return Controller(identity, int(usn), domain, _text(root, "currenttime")[:14], account)


def password_end(connection: Connection, controller: Controller) -> datetime | None:
    """When the password of who is logged in expires; None where it does not, or nobody says.

    Raises `ConnectionLost`.
    """
    if not controller.account:
        return None
    try:
        shown = look(connection, f"<SID={controller.account.hex()}>", [_EXPIRES])
    except IncompleteRead:
        return None
    ticks = _text(shown, _EXPIRES.lower())
    if not ticks.isdecimal() or int(ticks) in _NEVER:
        return None
    return _FILETIME + timedelta(microseconds=int(ticks) // 10)


def _text(root: Mapping[str, Any], name: str) -> str:
    values = root.get(name, ())
    return values[0].decode(errors="replace") if values else ""
