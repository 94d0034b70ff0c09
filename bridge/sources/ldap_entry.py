"""What an LDAP server sent of one entry, as an `Entry`."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from bridge import dn
from bridge.errors import IncompleteRead
from bridge.model import Entry, Kind
from bridge.sources.ldap_decode import Decoded, EntryDecoder, Field

MODIFIED = "modifyTimestamp"

# Values of these are bytes even where they happen to be UTF-8; all other text is tried as such.
_BINARY = frozenset({
    "audio", "authorityrevocationlist", "cacertificate", "certificaterevocationlist",
    "crosscertificatepair", "deltarevocationlist", "jpegphoto", "logonhours", "msexchmailboxguid",
    "ms-ds-consistencyguid", "ntsecuritydescriptor", "objectguid", "objectsid", "photo",
    "sidhistory", "thumbnaillogo", "thumbnailphoto", "usercertificate", "userpkcs12",
    "usersmimecertificate",
})  # fmt: skip
_STAMP = re.compile(
    rb"(\d{4}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])(?:[01]\d|2[0-3])[0-5]\d[0-5]\d)(?:[.,]\d+)?Z"
)


class EntryReader:
    """Makes entries of one search's results, and keeps count of what a read has to know.

    ``newest`` is the newest modifyTimestamp seen, as 14 digits in UTC; ``undated`` counts the
    entries without one, ``unnamed`` those that do not have exactly one value of ``id``, which
    become no entry.
    """

    def __init__(
        self, wanted: Iterable[str], id: str, kind: Kind = Kind.USER, section: int = 0
    ) -> None:
        self._spellings = {name.lower(): name for name in (id, *wanted)}
        self._id = self._spellings[id.lower()]
        self._stamp = self._spellings.get(MODIFIED.lower())
        self._kind, self._section = kind, section
        # One entry may be a person's and a group's, or be found by two searches.
        self._before_key = "" if kind is Kind.USER else f"group {section} "
        self._last, self._dated = b"", False
        self.decoder = EntryDecoder(self._field)
        self.newest = ""
        self.undated = self.unnamed = 0

    @property
    def asked(self) -> list[str]:
        """The attributes to ask the server for."""
        names = {MODIFIED.lower(): MODIFIED, **self._spellings}
        return sorted(name for key, name in names.items() if key != "dn")

    def key(self, id: str) -> str:
        """The record key of the entry with this id."""
        return self._before_key + id

    def take(self, page: Iterable[Decoded]) -> list[Entry]:
        """The entries of one page."""
        return [entry for decoded in page if (entry := self._entry(*decoded)) is not None]

    def _entry(
        self, raw_dn: bytes, attributes: dict[str, Any], fingerprint: bytes, aside: bytes
    ) -> Entry | None:
        name = raw_dn.decode(errors="replace")
        attributes["dn"] = name
        if self._stamp is not None:
            aside = str(attributes.get(self._stamp)).encode()
        if aside != self._last:
            self._last = aside
            stamp = _STAMP.fullmatch(aside)
            self._dated = stamp is not None
            if stamp is not None:
                self.newest = max(self.newest, stamp[1].decode())
        self.undated += not self._dated
        key = attributes.get(self._id)
        if isinstance(key, bytes):
            key = key.hex()
        if not isinstance(key, str):
            self.unnamed += 1
            return None
        return Entry(self.key(key), attributes, fingerprint, _ref(name), self._kind, self._section)

    def _field(self, sent: str) -> Field | None:
        """What becomes of an attribute that the server names so."""
        name, _, options = sent.lower().partition(";")
        if "range=" in options and name in self._spellings:
            raise IncompleteRead(
                f"the server sends only a range of the values of {self._spellings[name]}: "
                "a source of another type is needed for this server"
            )
        asked = sent.lower()
        if options == "binary" and asked not in self._spellings:
            asked = name  # RFC 4522 section 4: sent so whether asked for so or not
        if asked == MODIFIED.lower() and self._stamp is None:
            return Field(MODIFIED, kept=False)
        if asked not in self._spellings:
            return None
        return Field(self._spellings[asked], name in _BINARY or "binary" in options.split(";"))


def _ref(name: str) -> str | None:
    try:
        return dn.normal(name)
    except ValueError:
        return None  # nobody can refer to it
