"""What people do to the bridge: files, plans, words about somebody, backups."""

from __future__ import annotations

from copy import deepcopy
from datetime import timedelta

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from tests.proof.editions import TEXTS
from tests.proof.heard import Heard
from tests.proof.mishaps import modes
from tests.proof.staff import who
from tests.proof.watched import TALLY, Watched


class Operators(Watched):
    """They sync, edit, approve, override, erase, relink, back up and restore."""

    backups = 0

    @rule(mode=modes, accept=st.none() | st.booleans())
    def sync(self, mode: str, accept: bool | None) -> None:
        """A run, before which somebody may decide on the plan that waits the longest."""
        held = self.bridged.plans("held")
        if accept is not None and held:
            self.bridged.word(held[-1], accept)
            TALLY["words"] += 1
        self.run(mode)

    @rule(edition=st.sampled_from([*TEXTS, ""]), mode=modes)
    def edit_the_file(self, edition: str, mode: str) -> None:
        self.bridged.text = edition
        self.bridged.write()
        self.run(mode)

    @rule(key=who, active=st.booleans(), hours=st.none() | st.integers(1, 30))
    def override(self, key: str, active: bool, hours: int | None) -> None:
        until = self.bridged.now + timedelta(hours=hours) if hours else None
        self.bridged.override(key, active, until)
        self.promises.overrides[key] = active, until
        self.run("decide", words={key})

    @rule(key=who)
    def end_an_override(self, key: str) -> None:
        self.bridged.end_override(key)
        self.promises.overrides.pop(key, None)
        self.run("decide")

    @rule(key=who)
    def erase(self, key: str) -> None:
        row, heard = self.served(key), self.promises.heard
        if row is None or row["active"] or heard.of(key) != [None]:
            return
        self.bridged.erase(key)
        self.promises.overrides.pop(key, None)
        self.erased.add(key)
        heard.stated.discard(key)
        self.run("decide", words={key})

    @rule(key=who, number=st.integers(1, 3))
    def relink(self, key: str, number: int) -> None:
        heard, new = self.promises.heard, f"R{number}"
        is_there = heard.of(new) != [None] and len(heard.of(new)) == 1
        if self.served(key) is None or heard.of(key) != [None] or not is_there:
            return
        if new in heard.relinked or key in self.source.people:
            return
        self.bridged.relink(key, new)
        heard.relinked[new] = key
        self.run("decide", words={key, new})

    @precondition(lambda self: self.backups < 2)
    @rule()
    def back_up(self) -> None:
        self.backups += 1
        self.kept = self.bridged.back_up(), deepcopy(self.promises)

    @precondition(lambda self: self.kept)
    @rule()
    def restore(self) -> None:
        assert self.kept is not None
        file, then = self.kept
        self.bridged.restore(file)
        self.closed()
        self.bridged.run("full", name="guests")
        self.closed()
        now, self.promises = self.promises, deepcopy(then)
        self.promises.opened = False
        self.promises.keys = now.keys
        self.promises.heard = Heard(relinked=now.heard.relinked, stated=now.heard.stated)
        self.source.read_as_of = self.promises.heard.as_of
        TALLY["restores"] += 1
