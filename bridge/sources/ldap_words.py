"""LDAP result codes (RFC 4511 appendix A) and a network's failures in words, and what to do."""

from __future__ import annotations

import re

_LIMITS = "let `bind_dn` read without that limit"
_LATER = "the next read tries again"

# Name in the standard, and what to do.
_SEARCH = {
    1: ("operationsError", "is a bind needed before this search?"),
    2: ("protocolError", _LATER),
    3: ("timeLimitExceeded", f"{_LIMITS}, or index what `filter` uses"),
    4: ("sizeLimitExceeded", _LIMITS),
    8: ("strongerAuthRequired", "the server wants a bind, or TLS"),
    9: ("partialResults", "a part of the directory is elsewhere: name the server that has it all"),
    10: ("referral", "`base` is on another server: name that one in `url`"),
    11: ("adminLimitExceeded", f"{_LIMITS}, or use a smaller `page_size`"),
    12: ("unavailableCriticalExtension", "the server does not answer page by page, or not here"),
    13: ("confidentialityRequired", "the server wants TLS"),
    16: ("noSuchAttribute", _LATER),
    18: ("inappropriateMatching", "`filter` compares an attribute in a way it does not allow"),
    32: ("noSuchObject", "`base` does not exist, or `bind_dn` may not see it"),
    34: ("invalidDNSyntax", "`base` is no name that this server accepts"),
    50: ("insufficientAccessRights", "`bind_dn` may not read this"),
    51: ("busy", _LATER),
    52: ("unavailable", _LATER),
    53: ("unwillingToPerform", "the server's own log says why"),
    80: ("other", "the server's own log says why"),
    4096: ("syncRefreshRequired", _LATER),
}

_BIND = {
    7: "it does not accept a bind with a password (authMethodNotSupported)",
    8: "it wants TLS before the bind (strongerAuthRequired): ldaps:// or `start_tls: true`",
    13: "it wants TLS before the bind (confidentialityRequired): ldaps:// or `start_tls: true`",
    19: "it refuses this account (constraintViolation): is it locked after too many tries?",
    32: "`bind_dn` does not exist there (noSuchObject)",
    34: "`bind_dn` is no name that it accepts (invalidDNSyntax)",
    48: "it refuses this kind of bind (inappropriateAuthentication): is `bind_dn` set?",
    49: "`bind_dn` or `password` is wrong (invalidCredentials)",
    50: "`bind_dn` may not log in (insufficientAccessRights)",
    53: "it refuses this account (unwillingToPerform): is it deactivated?",
}  # fmt: skip

# Of other codes, such as busy (51) and unavailable (52), nobody's account is the cause.
_BIND_LATER = {1: "operationsError", 3: "timeLimitExceeded", 11: "adminLimitExceeded",
               51: "busy", 52: "unavailable", 80: "other"}  # fmt: skip

# draft-behera-ldap-password-policy section 6.2
_POLICY = {
    0: "the password of `bind_dn` has expired: set a new one",
    1: "the account of `bind_dn` is locked: unlock it, then correct `password`",
    2: "the password of `bind_dn` must be changed before anything else",
}


# Active Directory's own words for invalidCredentials: Windows error codes in hex after "data".
_WINDOWS = {
    "525": "`bind_dn` does not exist there (data 525)",
    "52e": "`bind_dn` or `password` is wrong (data 52e)",
    "530": "the account of `bind_dn` may not log in at this hour (data 530)",
    "531": "the account of `bind_dn` may not log in from this machine (data 531)",
    "532": "the password of `bind_dn` has expired: set a new one (data 532)",
    "533": "the account of `bind_dn` is disabled (data 533)",
    "701": "the account of `bind_dn` has expired (data 701)",
    "773": "the password of `bind_dn` must be changed before anything else (data 773)",
    "775": "the account of `bind_dn` is locked: unlock it, then correct `password` (data 775)",
}
_DATA = re.compile(r"\bdata ([0-9a-f]{3}),")


def search_failure(code: int) -> str:
    """Why a search did not end well."""
    name, advice = _SEARCH.get(code, ("", "the server's own log says why"))
    return f"the server stopped with {name or 'result'} ({code}): {advice}"


def bind_refusal(code: int, policy: int | None, message: str = "") -> tuple[str, bool]:
    """Why a bind is of no use, and whether a person has to mend that; ``""`` where it is.

    ``message`` is what the server said beside the code.
    """
    if policy in _POLICY and (code != 0 or policy == 2):
        return _POLICY[policy], True
    if code == 0:
        return "", False
    if code == 49 and (said := _DATA.search(message)) and said[1] in _WINDOWS:
        return _WINDOWS[said[1]], True
    if code in _BIND_LATER:
        return f"it takes no bind now ({_BIND_LATER[code]})", False
    return _BIND.get(code, f"it refuses the bind (result {code})"), True


def network_failure(error: BaseException, name: str, port: int, seconds: int) -> str:
    """Why nothing could be said to the server ``name``."""
    text = str(error)
    if "invalid server address" in text:
        return f"no address is known for {name}: is the name right?"
    if "timed out" in text:
        return f"nothing answered within {seconds} seconds"
    if "refused" in text:
        return f"nothing listens on port {port}: is the server running?"
    reason = re.search(r"\[Errno -?\d+\] (.*?)'?\)?$", text)
    return f"it cannot be reached: {reason[1] if reason else text}"


def policy_error(value: bytes | None) -> int | None:
    """The error within a password policy response, a BER value of a few bytes."""
    # SEQUENCE { warning [0] CHOICE OPTIONAL, error [1] ENUMERATED OPTIONAL }
    if not value or value[0] != 0x30:
        return None
    rest = value[2:]
    if rest[:1] == b"\xa0" and len(rest) > 1:
        rest = rest[2 + rest[1] :]
    return rest[2] if len(rest) == 3 and rest[:2] == b"\x81\x01" else None
