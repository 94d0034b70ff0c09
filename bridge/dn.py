"""Distinguished names (RFC 4514): one text for every spelling of the same name."""

from __future__ import annotations

import re
import unicodedata

# The names of RFC 4514 section 3 under which servers and people also write them.
_TYPES = {
    "2.5.4.3": "cn", "commonname": "cn",
    "2.5.4.7": "l", "localityname": "l",
    "2.5.4.8": "st", "stateorprovincename": "st",
    "2.5.4.10": "o", "organizationname": "o",
    "2.5.4.11": "ou", "organizationalunitname": "ou",
    "2.5.4.6": "c", "countryname": "c",
    "2.5.4.9": "street", "streetaddress": "street",
    "0.9.2342.19200300.100.1.25": "dc", "domaincomponent": "dc",
    "0.9.2342.19200300.100.1.1": "uid", "userid": "uid",
}  # fmt: skip

# Nothing to fold but case: what nearly all names of a directory look like.
_PLAIN = re.compile(
    r"(?:cn|ou|o|dc|uid|l|st|c)=[\w.@'()/:*-]+(?: [\w.@'()/:*-]+)*"
    r"(?:,(?:cn|ou|o|dc|uid|l|st|c)=[\w.@'()/:*-]+(?: [\w.@'()/:*-]+)*)*",
    re.ASCII | re.IGNORECASE,
)
# Nothing to escape or unescape: names of people in any script.
_WORDS = re.compile(
    r"(?ai:cn|ou|o|dc|uid|l|st|c)=[\w.@'()/:*-]+(?: [\w.@'()/:*-]+)*"
    r"(?:,(?ai:cn|ou|o|dc|uid|l|st|c)=[\w.@'()/:*-]+(?: [\w.@'()/:*-]+)*)*"
)
_TYPE = re.compile(r" *(?:oid\.)?([a-z][a-z0-9-]*|[0-9]+(?:\.[0-9]+)+) *= *", re.I)
_HEX = re.compile(r"#((?:[0-9a-f]{2})+) *(?=[,+]|$)", re.I)
_VALUE = re.compile(r'(?:[^\\,+"<>;\0]|\\(?:[ "#+,;<=>\\]|[0-9a-f]{2}))*', re.I)
_PAIR = re.compile(r"((?:\\[0-9a-f]{2})+)|\\(.)", re.I)
_SPECIAL = re.compile(r'[\\,+"<>;]|^#')

# OCTET STRING, UTF8String, PrintableString, TeletexString, IA5String.
_TEXT_TAGS = {0x04, 0x0C, 0x13, 0x14, 0x16}


def normal(dn: str) -> str:
    """The one spelling of a name: equal for any two that mean the same, and normal itself.

    Case, blanks that mean nothing, escapes, ``#`` hex values, the order within a multi-valued
    RDN and the long or numeric names of the types of RFC 4514 section 3 make no difference.
    Raises `ValueError` for what is no DN; the message does not repeat it.
    """
    if _PLAIN.fullmatch(dn):
        return dn.lower()
    if _WORDS.fullmatch(dn):
        folded = _folded(dn)
        if _WORDS.fullmatch(folded):
            return folded
    return ",".join(_rdns(dn))


def parent(dn: str) -> str:
    """The normal name of what ``dn`` stands in; of the topmost it is ``""``, which has none."""
    if not (rdns := _rdns(dn)):
        raise ValueError("the empty DN has no parent")
    return ",".join(rdns[1:])


def above(dn: str) -> str:
    """As `parent`, but spelled as it is in ``dn``."""
    if not _rdns(dn):
        raise ValueError("the empty DN has no parent")
    at = -1
    while at < len(dn) and (at < 0 or dn[at] == "+"):
        at = _part(dn, at + 1)[1]
    return dn[at + 1 :].lstrip(" ")


def leaf(dn: str) -> str:
    """The first value of the innermost RDN as people read it: without escapes, its case kept."""
    kind = _TYPE.match(dn) if _rdns(dn) else None
    if kind is None:
        raise ValueError("the empty DN has no parts")
    value = _VALUE.match(dn, kind.end())
    assert value is not None
    return _PAIR.sub(_unescaped, value[0]).strip(" ")


def is_under(dn: str, base: str) -> bool:
    """Whether ``dn`` is ``base`` itself or stands anywhere below it."""
    inner, outer = _rdns(dn), _rdns(base)
    return len(inner) >= len(outer) and inner[len(inner) - len(outer) :] == outer


def _rdns(dn: str) -> list[str]:
    """Every RDN in its normal spelling, the innermost first."""
    rdns: list[str] = []
    if not dn.strip(" "):
        return rdns
    parts: list[str] = []
    at = 0
    while True:
        part, at = _part(dn, at)
        parts.append(part)
        if at == len(dn) or dn[at] == ",":
            rdns.append("+".join(sorted(parts)))
            parts = []
        if at == len(dn):
            return rdns
        at += 1


def _part(dn: str, at: int) -> tuple[str, int]:
    """One ``type=value`` in its normal spelling, and where it ends: at ``,``, ``+`` or the end."""
    if (found := _TYPE.match(dn, at)) is None:
        raise ValueError(f"no DN: no attribute type and = at character {at + 1}")
    kind = _TYPES.get(found[1].lower(), found[1].lower())
    at = found.end()
    if (hexed := _HEX.match(dn, at)) is not None:
        return f"{kind}={_value_of_ber(bytes.fromhex(hexed[1]))}", hexed.end()
    value = _VALUE.match(dn, at)
    assert value is not None
    end = value.end()
    if value[0].startswith("#") or (end < len(dn) and dn[end] not in ",+"):
        raise ValueError(f"no DN: the value from character {at + 1} on is not escaped well")
    text = _PAIR.sub(_unescaped, value[0]) if "\\" in value[0] else value[0]
    return f"{kind}={_spelling(text)}", end


def _unescaped(found: re.Match[str]) -> str:
    if found[2] is not None:
        return found[2]
    try:
        return bytes.fromhex(found[1].replace("\\", "")).decode()
    except UnicodeDecodeError:
        raise ValueError("no DN: the escaped bytes of a value are not UTF-8") from None


def _value_of_ber(ber: bytes) -> str:
    """The text within a BER value, or its bytes again where they are no text."""
    tag, length, content = ber[0], ber[1:2], ber[2:]
    if tag in _TEXT_TAGS and length == bytes([len(content)]) and len(content) < 128:
        try:
            return _spelling(content.decode())
        except UnicodeDecodeError:
            pass
    return "#" + ber.hex()


def _folded(text: str) -> str:
    before = None
    while text != before:
        before = text
        text = " ".join(unicodedata.normalize("NFKC", text.casefold()).split())
    return text


def _spelling(value: str) -> str:
    """RFC 4518 in short: compatible characters and case folded, outer and double blanks gone."""
    value = _folded(value)
    return _SPECIAL.sub(r"\\\g<0>", value).replace("\0", "\\00")
