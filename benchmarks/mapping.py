"""What mapping a person costs, beside the same mapping written by hand in Python.

``python -m benchmarks.mapping`` maps an invented Active Directory with the 30 expressions of
``active-directory.yaml`` beside this file, and with those of the file that the bridge ships.
"""

from __future__ import annotations

import argparse
import random
import re
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from bridge.mapping import Mapping, load
from bridge.model import ENTERPRISE_URN, Entry
from bridge.sources import settings_models

NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)
URN = "urn:ietf:params:scim:schemas:extension:example:2.0:User"
KEY, MANAGER = "the key", "the manager's DN"
FILE = Path(__file__).with_name("active-directory.yaml")
SHIPPED = Path(__file__).parents[1] / "mappings" / "active-directory.yaml.example"
_BATCH = 50
_NEVER = str(2**63 - 1)
_GIVEN = ("Zoë", "Ana", "Łukasz", "Bo", "Ελένη", "John", "Mary", "Karl", "Inês", "Tom")
_FAMILY = ("Müller", "Cruz", "Nowak", "Lind", "Smith", "Παππάς", "de la Cruz", "O'Neil", "Weiß")
_PLACES = (("Berlin", "BE", "de"), ("Austin", "TX", "us"), ("Kraków", "MA", "pl"))
_FILETIME = datetime(1601, 1, 1, tzinfo=UTC)
_ZONE = ZoneInfo("Europe/Berlin")
_COST_CENTERS = {"4711": "CC-4711 Finance", "4712": "CC-4712 People"}
_USER_TYPES = {"E": "Employee", "C": "Contractor", "X": "Extern"}


def people(count: int, seed: int = 7) -> Iterator[Entry]:
    """Entries as a directory's source reads them: text, and bytes of what is binary."""
    chance = random.Random(seed)
    for number in range(count):
        given, family = chance.choice(_GIVEN), chance.choice(_FAMILY)
        login = f"user{number}"
        city, region, country = chance.choice(_PLACES)
        name = f"CN={given} {family} {number},OU={city},OU=Staff,DC=example,DC=com"
        attributes: dict[str, Any] = {
            "dn": name,
            "objectGUID": uuid.UUID(int=chance.getrandbits(128)).bytes,
            "sAMAccountName": login,
            "userPrincipalName": f"{login.title()}@Example.com",
            "mail": f"{login}@example.com",
            "givenName": given,
            "sn": family,
            "displayName": f"{given} {family}",
            "title": chance.choice(("Engineer", "Clerk", "Head of Sales")),
            "department": chance.choice(("Engineering", "Sales", "People")),
            "departmentNumber": chance.choice(("4711", "4712", "4713")),
            "employeeID": f"{number:06}",
            "employeeType": chance.choice("ECX"),
            "manager": f"CN=Boss {number // 8},OU={city},OU=Staff,DC=example,DC=com",
            "proxyAddresses": [f"smtp:{login}@example.org", f"SMTP:{login.title()}@example.com"],
            "telephoneNumber": f"+49 (30) {number:06}-0",
            "l": city,
            "st": region,
            "c": country,
            "userAccountControl": "514" if chance.random() < 0.05 else "512",
            "accountExpires": chance.choice(
                ("0", *[_NEVER] * 9, "134300000000000000", "134200000000000000")
            ),
            "extensionAttribute3": f"Badge 00-{number}",
        }
        if chance.random() < 0.3:
            attributes["mobile"] = f"+49 170 {number:07}"
        yield Entry(login, attributes, b"", name)


def by_hand(entry: Entry, now: datetime) -> dict[str, Any]:
    """What the file says, as somebody would write it who needs nothing checked."""
    get: Callable[..., Any] = entry.attributes.get
    login = get("sAMAccountName") or ""
    if login.endswith("$") or login.startswith("svc-"):
        return {}
    ticks = int(get("accountExpires") or 0)
    expires = None
    if ticks not in (0, 2**63 - 1):
        expires = _FILETIME + timedelta(microseconds=ticks // 10)
    given, family = get("givenName", "").strip(), get("sn", "").strip()
    proxies = get("proxyAddresses") or []
    primary = next((p.partition(":")[2] for p in proxies if p.startswith("SMTP:")), None)
    disabled = int(get("userAccountControl")) & 2
    expired = expires is not None and expires <= now
    leaver = "OU=Leavers," in entry.attributes["dn"]
    phones = [
        {"value": re.sub("[^0-9+]", "", number), "type": kind}
        for number, kind in ((get("telephoneNumber"), "work"), (get("mobile"), "mobile"))
        if number
    ]
    enterprise = {
        "employeeNumber": get("employeeID"),
        "department": get("department"),
        "costCenter": _COST_CENTERS.get(get("departmentNumber")),
        "organization": get("company") or "Example GmbH",
    }
    custom = {
        "adLogin": f"EXAMPLE\\{login}",
        "accountExpires": expires and expires.astimezone(_ZONE).date().isoformat(),
        "badge": re.sub("[^0-9]", "", get("extensionAttribute3")),
    }
    return {
        "externalId": get("employeeID"),
        "userName": (get("userPrincipalName") or get("mail")).lower(),
        "name": {"givenName": given[:50], "familyName": family[:50]},
        "displayName": get("displayName") or f"{given} {family}",
        "title": get("title"),
        "userType": _USER_TYPES.get(get("employeeType"), "Employee"),
        "emails": [{"value": (primary or get("mail")).lower(), "type": "work", "primary": True}],
        "phoneNumbers": phones,
        "addresses": [
            {"locality": get("l"), "region": get("st"), "country": get("c").upper(), "type": "work"}
        ],
        ENTERPRISE_URN: {name: value for name, value in enterprise.items() if value},
        URN: {name: value for name, value in custom.items() if value},
        "active": not (disabled or expired or leaver),
        KEY: str(uuid.UUID(bytes_le=entry.attributes["objectGUID"])),
        MANAGER: get("manager", "").lower(),
    }


def mapped(mapping: Mapping, entry: Entry, now: datetime) -> None:
    """The key and the person, as a read and a decision work them out."""
    mapping.key_of(entry)
    result = mapping.person([entry], now)
    assert not result.faults, result.faults


def best(rounds: int, entries: Sequence[Entry], *works: Callable[[Entry], object]) -> list[float]:
    """The microseconds of CPU a person that each of the works takes.

    Of every few people the best round counts, so that what else the machine does counts little.
    """
    batches = [entries[at : at + _BATCH] for at in range(0, len(entries), _BATCH)]
    found = [[float("inf")] * len(batches) for _ in works]
    for _ in range(rounds):
        for number, batch in enumerate(batches):
            for work, least in zip(works, found, strict=True):
                start = time.process_time()
                for entry in batch:
                    work(entry)
                least[number] = min(least[number], time.process_time() - start)
    return [sum(least) / len(entries) * 1e6 for least in found]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=2_000)
    parser.add_argument("--rounds", type=int, default=20)
    given = parser.parse_args()
    entries = list(people(given.people))
    reference, shipped = (
        load(path.read_text(encoding="utf-8"), str(path), settings_models())
        for path in (FILE, SHIPPED)
    )
    ours, theirs, plain = best(
        given.rounds, entries, lambda entry: mapped(reference, entry, NOW),
        lambda entry: mapped(shipped, entry, NOW), lambda entry: by_hand(entry, NOW),
    )  # fmt: skip
    print(f"{given.people:,} people, one core; microseconds a person")
    for mapping, spent in ((reference, ours), (shipped, theirs)):
        count = len(list(mapping.program.expressions))
        name = Path(mapping.file).name
        print(f"{name:32} {count} expressions {spent:6.1f}  {spent / plain:4.1f} times by hand")
    print(f"{'by hand':32} {'':14} {plain:6.1f}")


if __name__ == "__main__":
    main()
