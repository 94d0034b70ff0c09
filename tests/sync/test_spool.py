"""Values put aside on disk."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from bridge.model import GroupKey, Kind, Link, Resource, Served
from bridge.sync.change import Draft
from bridge.sync.proposal import Proposal
from bridge.sync.spool import Spool


def test_chunks_come_back_in_order_as_often_as_asked_for() -> None:
    with Spool[int]() as spool:
        assert list(spool.chunks()) == []
        spool.append([1, 2])
        spool.append([])
        spool.append([3])
        assert len(spool) == 3
        assert list(spool.chunks()) == list(spool.chunks()) == [[1, 2], [3]]


def test_more_may_be_put_aside_after_a_reading() -> None:
    with Spool[int]() as spool:
        spool.append([1])
        spool.append([2])
        assert next(spool.chunks()) == [1]
        spool.append([3])
        assert list(spool.chunks()) == [[1], [2], [3]]


def test_two_readings_at_once_do_not_disturb_each_other() -> None:
    with Spool[int]() as spool:
        for number in range(4):
            spool.append([number])
        assert list(zip(spool.chunks(), spool.chunks(), strict=True)) == [
            ([number], [number]) for number in range(4)
        ]


@pytest.mark.parametrize(("chunks", "on_disk"), [(9, False), (11, True)])
def test_it_moves_to_disk_past_a_megabyte(chunks: int, on_disk: bool) -> None:
    with Spool[bytes]() as spool:
        for number in range(chunks):
            spool.append([bytes([number]) * 100_000])
        assert spool._file._rolled is on_disk  # type: ignore[attr-defined]
        firsts = [chunk[0][0] for chunk in spool.chunks()]
    assert firsts == list(range(chunks))


def test_a_proposal_comes_back_as_it_was() -> None:
    served = Served(
        3, "id", "key", "a@x.y", True, True, b'{"userName": "a@x.y"}',
        (Link(("manager",), "key", "p"),), frozenset({"g"}), "employed", 7, 1,
    )  # fmt: skip
    draft = Draft(
        "id",
        "key",
        served,
        Resource(Kind.USER, {"userName": "b@x.y", "emails": [{"value": "b@x.y"}]}),
        (GroupKey("g", "Group"),),
        until=datetime(2026, 1, 1, tzinfo=UTC),
        kinds={"renamed": "b@x.y"},
    )
    proposal = Proposal(draft, fresh=frozenset({"renamed"}))
    with Spool[Proposal]() as spool:
        spool.append([proposal])
        [[back]] = spool.chunks()
    assert back == proposal


@dataclass(frozen=True)
class Nothing:
    pass


@dataclass(frozen=True)
class Something:
    number: int


def test_values_with_few_fields_come_back_as_well() -> None:
    with Spool[object]() as spool:
        spool.append([Nothing(), Something(7), Something])
        assert list(spool.chunks()) == [[Nothing(), Something(7), Something]]
