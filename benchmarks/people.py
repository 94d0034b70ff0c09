"""Invented companies of any size: the same size and seed give the same people, for ever.

    python -m benchmarks.people --size 1000 --seed 7 -o export.csv
    python -m benchmarks.people --size 1000 --seed 7 --churn 0.01 -o export-next.csv
    python -m benchmarks.people --size 1000 --seed 7 --format ldif -o people.ldif

Everybody is worked out from the seed and a number alone, so a million people stream through
little memory and a change of one leaves the others as they are.
"""

from __future__ import annotations

import argparse
import csv
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from hashlib import blake2b
from pathlib import Path
from typing import TextIO, TypeVar

from benchmarks.ldif import write_ldif
from benchmarks.names import OFFICES

TODAY = date(2026, 6, 15)

DEPARTMENTS = {
    "100": ("Developer", "Tester", "Site Reliability Engineer"),
    "200": ("Account Manager", "Sales Engineer"),
    "300": ("Recruiter", "HR Partner"),
    "400": ("Accountant", "Controller"),
    "500": ("Support Agent", "Support Engineer"),
    "600": ("Designer", "Product Manager"),
    "700": ("Warehouse Clerk", "Driver", "Planner"),
    "800": ("Counsel", "Paralegal"),
}

HEADINGS = (
    "Person ID",
    "Employee No",
    "First Name",
    "Last Name",
    "Known As",
    "Work E-mail",
    "Job Title",
    "Department",
    "Country",
    "Location",
    "Worker Type",
    "Status",
    "Start Date",
    "Last Day",
    "Immediate Termination",
    "Manager Person ID",
)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Employment:
    """One contract of a person; ``last_day`` is None where no end is known."""

    employee_no: str
    title: str
    department: str
    worker_type: str
    status: str
    start: date
    last_day: date | None = None
    immediate: bool = False


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody in the export, with one employment or two; ``manager`` is a person id or empty."""

    person_id: str
    given: str
    family: str
    known_as: str
    email: str
    country: str
    location: str
    manager: str
    employments: tuple[Employment, ...]


class _Dice:
    """Throws that depend on what they are made of alone, not on Python's version."""

    def __init__(self, *what: object) -> None:
        self._rest = int.from_bytes(blake2b(repr(what).encode()).digest(), "big")

    def roll(self, sides: int) -> int:
        self._rest, side = divmod(self._rest, sides)
        return side

    def pick(self, table: Sequence[T]) -> T:
        return table[self.roll(len(table))]

    def chance(self, share: float) -> bool:
        return self.roll(1_000_000) < share * 1_000_000


def people(size: int, seed: int, today: date = TODAY) -> Iterator[Person]:
    """``size`` people of one company, managers before those they manage.

    Of them about 8 % are contractors, 6 % left in the last 13 months, 1 % have a last day ahead,
    2 % start in the next 12 weeks, 3 % are on leave and 2 % have two employments.
    """
    return (_person(seed, number, today) for number in range(size))


def churn(company: Iterable[Person], share: float, seed: int, today: date) -> Iterator[Person]:
    """The same company later: ``share`` of its people changed in one way each.

    Half of the changed get another title, a quarter leave with a last day in the past, an eighth
    vanish and an eighth get a new mail; for each who left or vanished somebody new joins at the
    end. Person and mail of joiners depend on ``seed``: use another one for every round.
    """
    gone = 0
    for person in company:
        dice = _Dice("churn", seed, person.person_id)
        if not dice.chance(share):
            yield person
            continue
        *earlier, last = person.employments
        match dice.roll(8):
            case 0:
                gone += 1
            case 1:
                local, _, domain = person.email.partition("@")
                yield replace(person, email=f"{local}.{seed}@{domain}")
            case 2 | 3:
                gone += 1
                yesterday = today - timedelta(days=1)
                start = min(last.start, yesterday)
                ended = replace(last, start=start, last_day=yesterday, status="terminated")
                yield replace(person, employments=(*earlier, ended))
            case _:
                moved = replace(last, title=f"Senior {last.title}")
                yield replace(person, employments=(*earlier, moved))
    for number in range(gone):
        joiner = _person(seed, number, today)
        local, _, domain = joiner.email.partition("@")
        yield replace(
            joiner,
            person_id=f"J{seed}-{number}",
            email=f"{local}.j{seed}@{domain}",
            manager="P0000001",
        )


def _person(seed: int, number: int, today: date) -> Person:
    dice = _Dice("person", seed, number)
    office = dice.pick(OFFICES)
    given, plain_given = dice.pick(office.given)
    family, plain_family = dice.pick(office.family)
    employment = _employment(dice, f"{number + 1:07}", today)
    employments: tuple[Employment, ...] = (employment,)
    if dice.chance(0.02):
        ended = employment.start - timedelta(days=1 + dice.roll(300))
        earlier = replace(
            employment,
            employee_no=f"C{number + 1:07}",
            worker_type=dice.pick(("Contractor", "Employee")),
            status="terminated",
            start=ended - timedelta(days=90 + dice.roll(900)),
            last_day=ended,
            immediate=False,
        )
        employments = (earlier, employment)
    return Person(
        person_id=f"P{number + 1:07}",
        given=given,
        family=family,
        known_as=plain_given.capitalize() if dice.chance(0.1) else "",
        email=f"{plain_given}.{plain_family}.{number + 1}@example.com",
        country=office.country,
        location=office.location,
        manager=f"P{_manager(dice, number) + 1:07}" if number else "",
        employments=employments,
    )


def _manager(dice: _Dice, number: int) -> int:
    """Somebody with a lower number, so nobody manages themselves; about 8 people each."""
    return max(0, (number - 1 - dice.roll(9)) // 8)


def _employment(dice: _Dice, employee_no: str, today: date) -> Employment:
    department = dice.pick(tuple(DEPARTMENTS))
    worker_type = "Contractor" if dice.chance(0.08) else "Employee"
    start = today - timedelta(days=30 + dice.roll(12 * 365))
    usual = Employment(
        employee_no=employee_no,
        title=dice.pick(DEPARTMENTS[department]),
        department=department,
        worker_type=worker_type,
        status="active",
        start=start,
    )
    fate = dice.roll(100)
    if fate < 6:
        left = max(start, today - timedelta(days=1 + dice.roll(400)))
        return replace(usual, status="terminated", last_day=left, immediate=dice.chance(0.05))
    if fate < 7:
        return replace(usual, last_day=today + timedelta(days=dice.roll(60)))
    if fate < 9:
        return replace(usual, start=today + timedelta(days=1 + dice.roll(84)))
    if fate < 12:
        return replace(usual, status="leave")
    return usual


def write_csv(company: Iterable[Person], file: TextIO) -> int:
    """Write an HR export, ``;`` between the cells, days as 31.12.2026; gives the count of rows."""
    writer = csv.writer(file, delimiter=";", lineterminator="\n")
    writer.writerow(HEADINGS)
    count = 0
    for person in company:
        for each in person.employments:
            writer.writerow(_row(person, each))
            count += 1
    return count


def _row(person: Person, employment: Employment) -> tuple[str, ...]:
    return (
        person.person_id,
        employment.employee_no,
        person.given,
        person.family,
        person.known_as,
        person.email,
        employment.title,
        employment.department,
        person.country,
        person.location,
        employment.worker_type,
        employment.status,
        _day(employment.start),
        _day(employment.last_day),
        "yes" if employment.immediate else "",
        person.manager,
    )


def _day(day: date | None) -> str:
    return f"{day.day:02}.{day.month:02}.{day.year}" if day else ""


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.people",
        description="Write the HR export or the directory of an invented company.",
    )
    parser.add_argument("--size", type=int, default=1000, help="how many people (1000)")
    parser.add_argument("--seed", type=int, default=1, help="which company (1)")
    parser.add_argument("--churn", type=float, default=0.0, help="share that has changed (0.0)")
    parser.add_argument(
        "--today", type=date.fromisoformat, default=TODAY, help=f"day of the export ({TODAY})"
    )
    parser.add_argument("--format", choices=("csv", "ldif"), default="csv", help="(csv)")
    parser.add_argument("-o", "--output", type=Path, required=True, help="the file to write")
    options = parser.parse_args()
    company = people(options.size, options.seed, options.today)
    if options.churn:
        company = churn(company, options.churn, options.seed + 1, options.today)
    with options.output.open("w", encoding="utf-8", newline="") as file:
        if options.format == "csv":
            written = f"{write_csv(company, file)} rows"
        else:
            written = f"{write_ldif(company, file)} people"
    print(f"{written} in {options.output}", file=sys.stderr)


if __name__ == "__main__":
    main()
