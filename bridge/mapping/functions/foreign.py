"""What Okta's expression language and Entra's attribute mappings call what is here as well.

The table is `foreign.tsv`: whose function, what it is called there, and ours, as the README says
it. Those that have nothing here are left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import resources

from bridge.mapping.faults import did_you_mean


def ours(name: str, known: Mapping[str, object]) -> str:
    """A hint for a function that is none of ``known``, or nothing where no other is near."""
    found = _table().get(name.casefold())
    if found is not None:
        return f"{found[0]}'s: here it is {found[1]}"
    return did_you_mean(name.rpartition(".")[2], known)


@cache
def _table() -> Mapping[str, tuple[str, str]]:
    """Whose a function is and what it is here, by its folded name."""
    text = resources.files(__package__).joinpath("foreign.tsv").read_text(encoding="utf-8")
    rows = (line.split("\t") for line in text.splitlines())
    return {name.casefold(): (whose, here) for whose, name, here in rows}
