"""Logging in to a directory by Kerberos (RFC 4752), which takes the extra ``gssapi``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ldap3 import GSSAPI, SASL

NEEDED = (
    "a login by Kerberos takes what is not installed here: pip install 'okta-bridge[gssapi]', "
    "on top of MIT Kerberos (apt-get install libkrb5-dev gcc)"
)
# KRB5_KDC_UNREACH and KRB5_REALM_UNKNOWN: of any other error a person has to mend the cause, and
# may not be tried with again and again.
_AWAY = frozenset({2**32 - 1765328228, 2**32 - 1765328230})


def login(principal: str, keytab: Path | None) -> dict[str, Any]:
    """How ldap3 is to log in: with the key in ``keytab``, or with the ticket that is there."""
    # A ticket of its own, kept in memory: another program's is neither used nor replaced.
    store = {"client_keytab": str(keytab), "ccache": f"MEMORY:{principal}"} if keytab else None
    return {
        "user": principal,
        "authentication": SASL,
        "sasl_mechanism": GSSAPI,
        "cred_store": store,
    }


def errors() -> tuple[type[Exception], ...]:
    """What is raised where Kerberos fails."""
    try:
        from gssapi.exceptions import GSSError
    except ImportError:
        return ()
    return (GSSError,)


def refusal(error: Any) -> tuple[str, bool]:
    """Why there is no ticket, in the library's words, and whether a person has to mend that."""
    said = " ".join(str(error).split()).rpartition("): ")[2]
    return f"Kerberos: {said}", error.min_code not in _AWAY
