"""Two people, one userName."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.sync.names import Claim, Names, settle

A, N = True, False  # active or not


@pytest.mark.parametrize(
    ("claims", "waiting", "yielding"),
    [
        pytest.param([], "", "", id="nobody"),
        pytest.param([("p", "x", None, A)], "", "", id="alone"),
        pytest.param([("p", "x", None, A), ("q", "x", None, A)], "pq", "", id="two newcomers"),
        pytest.param(
            [("p", "x", None, A), ("q", "x", None, N)], "", "q", id="an inactive newcomer"
        ),
        pytest.param([("p", "x", None, N), ("q", "x", None, N)], "", "q", id="both inactive"),
        pytest.param([("p", "x", "x", A), ("q", "x", None, A)], "q", "", id="an active holder"),
        pytest.param([("p", "x", "x", N), ("q", "x", None, A)], "", "p", id="an inactive holder"),
        pytest.param(
            [("p", "x", "x", N), ("q", "x", None, N)], "", "q", id="an inactive one keeps its name"
        ),
        pytest.param(
            [("p", "x", "x", N), ("q", "x", None, A), ("r", "x", None, A)],
            "qr",
            "",
            id="two newcomers and an inactive holder",
        ),
        pytest.param([("p", "x", "x", A), ("q", "x", "y", A)], "q", "", id="renamed to a holder's"),
        pytest.param([("p", "y", "x", A), ("q", "x", "y", A)], "", "", id="a swap"),
        pytest.param([("p", "y", "x", A), ("q", "x", None, A)], "", "", id="a name that is freed"),
        pytest.param(
            [("p", "y", "x", A), ("q", "x", None, A), ("r", "y", "y", A)],
            "pq",
            "",
            id="a chain that ends at a holder",
        ),
        pytest.param(
            [("p", "y", "x", A), ("q", "x", None, A), ("r", "y", "y", N)],
            "",
            "r",
            id="a chain that ends at somebody inactive",
        ),
        pytest.param(
            [("p", "y", "x", A), ("q", "x", "z", A), ("r", "y", "y", A), ("s", "z", "w", A)],
            "pqs",
            "",
            id="a long chain",
        ),
    ],
)
def test_who_waits_and_who_yields(
    claims: list[tuple[str, str, str | None, bool]], waiting: str, yielding: str
) -> None:
    found = settle(Claim(*claim) for claim in claims)
    assert found == Names(frozenset(waiting), frozenset(yielding))


@st.composite
def companies(draw: st.DrawFn) -> list[Claim]:
    """People who all have different names, if any, and want any."""
    names = st.sampled_from("abcdefg")
    held = draw(st.lists(st.none() | names, max_size=12))
    taken: set[str] = set()
    claims = []
    for number, name in enumerate(held):
        own = None if name in taken else name
        taken.add(own or "")
        wanted = draw(names) if own is None else draw(st.just(own) | names)
        claims.append(Claim(f"p{number:02}", wanted, own, draw(st.booleans())))
    return claims


@given(companies())
def test_nobody_shares_a_name_and_only_those_who_contest_one_are_concerned(
    claims: list[Claim],
) -> None:
    found = settle(claims)
    assert not found.waiting & found.yielding
    settled = [
        claim.held if claim.id in found.waiting else claim.wanted
        for claim in claims
        if claim.id not in found.yielding
    ]
    named = [name for name in settled if name is not None]
    assert len(named) == len(set(named))
    for claim in claims:
        others = {
            name for other in claims if other is not claim for name in (other.wanted, other.held)
        }
        if claim.wanted not in others:
            assert claim.id not in found.waiting | found.yielding
        if claim.active:
            assert claim.id not in found.yielding
            if claim.wanted == claim.held:
                assert claim.id not in found.waiting
        else:
            assert claim.id not in found.waiting


@given(companies())
def test_the_order_in_which_people_are_looked_at_does_not_matter(claims: list[Claim]) -> None:
    assert settle(claims) == settle(reversed(claims))
