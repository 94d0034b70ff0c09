"""What directories write in forms of their own: identifiers, flags, distinguished names."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

from bridge import dn
from bridge.errors import EntryFault
from bridge.mapping.functions.registry import Group, Site
from bridge.mapping.functions.types import whole
from bridge.mapping.values import blank_is_none, single, text_of

GROUP = Group()

_LONGEST_DN = 8_192


@GROUP.plain()
def guid(value: Any) -> str:
    """A GUID as text in small letters, of the 16 bytes of Active Directory: `guid(value)`.

    Text is taken too, with or without braces. Anything else is an error.

    >>> '{6B29FC40-CA47-1067-B31D-00DD010662DA}' | guid
    '6b29fc40-ca47-1067-b31d-00dd010662da'
    """
    value = single(value)
    if isinstance(value, bytes):
        if len(value) != 16:
            raise EntryFault("is binary of another length than the 16 bytes of a GUID")
        # [MS-DTYP] 2.3.4.2: the first three parts are little-endian.
        text = (value[3::-1] + value[5:3:-1] + value[7:5:-1] + value[8:]).hex()
        return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
    text = text_of(value).strip()
    try:
        found = uuid.UUID(text)
    except ValueError:
        raise EntryFault("is no GUID") from None
    return str(found)


@GROUP.plain()
def sid(value: Any) -> str:
    """A security identifier as text, of the bytes of Active Directory: `sid(value)`.

    Text is taken too. Anything else is an error.

    >>> 's-1-5-21-1004336348-1177238915-682003330-512' | sid
    'S-1-5-21-1004336348-1177238915-682003330-512'
    """
    value = single(value)
    if isinstance(value, bytes):
        # [MS-DTYP] 2.4.2.2: revision, count, 6 bytes of authority, 4 little-endian ones a part.
        count = value[1] if len(value) >= 8 else 0
        if not (value[:1] == b"\1" and len(value) == 8 + 4 * count and count):
            raise EntryFault("is binary that is no security identifier")
        parts = [int.from_bytes(value[at : at + 4], "little") for at in range(8, len(value), 4)]
        authority = int.from_bytes(value[2:8], "big")
        return "-".join(("S-1", str(authority), *map(str, parts)))
    text = text_of(value).strip().upper()
    head, *numbers = text.split("-")
    if head != "S" or len(numbers) < 3 or not all(n.isascii() and n.isdigit() for n in numbers):
        raise EntryFault("is no security identifier")
    return text


@GROUP.plain(2)
def bit(value: Any, mask: Any) -> bool:
    """Whether all the bits of a mask are set in a number of flags: `bit(number, mask)`.

    A mask that is 0 is an error, since it would always be true.

    >>> bit('514', 2)
    True
    >>> bit(512, 2)
    False
    """
    wanted = whole(mask)
    if wanted == 0:
        raise EntryFault("asks for no bit at all")
    return bool(whole(value) & wanted == wanted)


@GROUP.plain(toll=96)
def rdn(value: Any) -> str | None:
    r"""The value of the innermost part of a DN, without its escapes: `rdn(dn)`.

    >>> 'CN=Müller\\, Zoë,OU=Staff,DC=x' | rdn
    'Müller, Zoë'
    """
    return blank_is_none(of_dn(dn.leaf, value))


@GROUP.plain(toll=96)
def parent_dn(value: Any) -> str | None:
    """The DN of what a DN stands in, or nothing of the topmost: `parent_dn(dn)`.

    >>> 'CN=Zoë,OU=Staff,DC=x' | parent_dn
    'OU=Staff,DC=x'
    >>> 'CN=Zoë,OU=Staff,DC=x' | parent_dn | rdn
    'Staff'
    """
    return blank_is_none(of_dn(dn.above, value))


@GROUP.made(2, fixed=(1,), toll=96)
def under(site: Site, base: str) -> Callable[[Any], bool]:
    """Whether a DN is a base or stands anywhere below it: `under(dn, base)`.

    How the two are spelled makes no difference.

    >>> 'cn=Zoë, ou=Leavers, dc=x' | under('OU=Leavers,DC=x')
    True
    >>> 'CN=Zoë,OU=No Leavers,DC=x' | under('OU=Leavers,DC=x')
    False
    """
    ending = dn.normal(base)
    if not ending:
        raise ValueError("no DN: everything is under the empty one")

    def call(value: Any) -> bool:
        # The end of the text alone could lie within an escaped value.
        text: str = of_dn(dn.normal, value)
        return text.endswith(ending) and dn.is_under(text, base)

    return call


def of_dn(part: Callable[[str], Any], value: Any) -> Any:
    """What ``part`` makes of a DN. Raises `EntryFault` for what is none."""
    text = text_of(value)
    if len(text) > _LONGEST_DN:
        raise EntryFault(f"is no DN: longer than {_LONGEST_DN:,} characters")
    try:
        return part(text)
    except ValueError as error:
        raise EntryFault(f"is {error}") from None
