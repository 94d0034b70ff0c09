"""The bridge of the simulated company: its store, its file, and what Okta sees of it."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any
from unittest.mock import patch

import httpx

from bridge import sources
from bridge.okta.rehearsal import Import, Manner, Profile, rehearse
from bridge.scim import application
from bridge.settings import Settings
from bridge.store import Store, audit, backup, erasures, overrides, plans, problems, relinks, tokens
from bridge.store import sources as source_rows
from bridge.store.tables import AuditRow, PlanRow
from bridge.sync import catalog
from bridge.sync.words import words_of
from tests import asgi
from tests.proof.company import DAY, NOW, Kind, Simulated
from tests.proof.editions import GUEST_ROWS, GUESTS, TEXTS

BASE = "https://bridge.example.com/scim/v2"
URL = "https://bridge.example.com"
SECRETS = {"PROOF_SECRET": "zq-password-1", "PROOF_OTHER_SECRET": "zq-password-2"}

Answers = dict[str, Any]
"""What SCIM answers: the rows of people in their order, and of groups; empty: 503."""


@dataclass
class Bridged:
    """The store, the file and the token, with everything that a person may do to the bridge."""

    folder: Path
    source: Simulated
    now: datetime = NOW
    secret: str = ""
    text: str = "as it was"
    """The edition of the file that lies in the folder; empty: there is none."""
    first_load: str = "publish"
    linked: dict[str, Profile] = field(default_factory=dict)
    stack: ExitStack = field(default_factory=ExitStack)

    def __post_init__(self) -> None:
        csv = sources.kinds()["csv"]
        kinds = {"simulated": Kind(self.source), "csv": csv}
        models = {"simulated": Kind.Settings, "csv": csv.Settings}
        self.stack.enter_context(patch.object(sources, "kinds", lambda: kinds))
        self.stack.enter_context(patch.object(sources, "settings_models", lambda: models))
        self.stack.enter_context(patch.dict(os.environ, SECRETS))
        self.mappings.mkdir()
        self.write()
        self.database.write_bytes(_empty_store())
        self.open()
        with self.store.write() as connection:
            self.secret = tokens.create(connection, "okta", None, self.now)[1]

    def close(self) -> None:
        self.shut()
        self.stack.close()
        self.source.close()

    # -- the store -----------------------------------------------------------------------------

    @property
    def mappings(self) -> Path:
        return self.folder / "mappings"

    @property
    def database(self) -> Path:
        return self.folder / "bridge.db"

    def open(self) -> None:
        self.opened = ExitStack()
        self.store = Store.open(f"sqlite:///{self.database}")
        self.opened.callback(self.store.close)
        app = application(self.store, Settings(public_url=URL))
        self.okta = self.opened.enter_context(asgi.client(app, self.secret))

    def shut(self) -> None:
        self.opened.close()

    def keep(self) -> None:
        """Keep a copy of the store's file as it is now."""
        self.shut()
        shutil.copyfile(self.database, self.database.with_suffix(".kept"))
        self.open()

    def put_back(self) -> None:
        """Put the copy back."""
        self.shut()
        shutil.copyfile(self.database.with_suffix(".kept"), self.database)
        self.open()

    @property
    def source_id(self) -> int:
        with self.store.read() as connection:
            row = source_rows.get(connection, "hr")
        assert row is not None
        assert row.id is not None
        return row.id

    # -- what Okta sees ------------------------------------------------------------------------

    def get(self, path: str) -> httpx.Response:
        return self.okta.get(f"/scim/v2/{path}", headers={"Authorization": f"Bearer {self.secret}"})

    def answers(self) -> Answers:
        """Everybody and every group, or nothing where it answers 503."""
        people, groups = self.get("Users?startIndex=1&count=1000"), self.get("Groups?count=1000")
        assert people.status_code == groups.status_code
        if people.status_code == 503:
            return {}
        assert people.status_code == 200
        return {"people": people.json(), "groups": groups.json()}

    def imported(self) -> Import:
        """An import of Okta's, by pages of five, which then has linked what it found."""
        manner = Manner(page_size=5, wait=lambda seconds: None)
        self.okta.headers["Authorization"] = f"Bearer {self.secret}"
        outcome = rehearse(self.okta, BASE, self.secret, self.linked, manner=manner)
        self.linked = dict(outcome.linked)
        return outcome

    # -- what people do ------------------------------------------------------------------------

    def invite(self) -> None:
        """Add a source of guests, which is read next."""
        for name, text in (("guests.csv", GUEST_ROWS), ("guests.yaml", GUESTS)):
            (self.mappings / name).write_text(text)
            os.utime(self.mappings / name, (0, 0))  # nobody is writing it any more
        os.utime(self.mappings, (0, 0))

    def write(self) -> None:
        """Put the file into the folder, or take it out."""
        file = self.mappings / "hr.yaml"
        if self.text:
            file.write_text(TEXTS[self.text].written(self.first_load))
            os.utime(file, (0, 0))  # nobody is writing it any more
            os.utime(self.mappings, (0, 0))
        else:
            file.unlink(missing_ok=True)
            os.utime(self.mappings, (0, 0))

    def plans(self, *states: str) -> list[PlanRow]:
        with self.store.read() as connection:
            return plans.listing(connection, states=states or plans.OPEN)

    def subjects(self, *states: str) -> set[str]:
        """Whoever stands in a plan, by key."""
        return self._of_plans(self.plans(*states))

    def approved(self) -> set[str]:
        """Whoever stands in a plan whose approval is still good."""
        good = [plan for plan in self.plans("approved") if plan.decided_at]
        return self._of_plans([plan for plan in good if self.now - plan.decided_at < DAY])

    def _of_plans(self, listed: Iterable[PlanRow]) -> set[str]:
        found = set()
        for plan in listed:
            assert plan.id is not None
            with self.store.read() as connection:
                found |= {each.subject for each in plans.changes(connection, plan.id, limit=1000)}
        return found

    def word(self, plan: PlanRow, accept: bool) -> None:
        with self.store.write() as connection:
            say = plans.approve if accept else plans.reject
            say(connection, plan.hash, "ann", self.now)

    def override(self, key: str, active: bool, until: datetime | None) -> None:
        with self.store.write() as connection:
            overrides.set(connection, self.source_id, key, active, "asked", "ann", self.now, until)

    def end_override(self, key: str) -> None:
        with self.store.write() as connection:
            overrides.end(connection, self.source_id, key, self.now)

    def erase(self, key: str) -> None:
        with self.store.write() as connection:
            erasures.ask(connection, self.source_id, key, "ann", self.now)

    def relink(self, old: str, new: str) -> None:
        with self.store.write() as connection:
            relinks.set(connection, self.source_id, old, new, "ann", self.now)

    def back_up(self) -> Path:
        file = Path(tempfile.mktemp(dir=self.folder, suffix=".backup"))
        backup.save(self.store, file, lambda step, done: None)
        return file

    def restore(self, file: Path) -> None:
        backup.load(self.store, file, self.now, lambda step, done: None, replace=True)

    # -- what is told --------------------------------------------------------------------------

    def live(self) -> str:
        """The edition that is live, empty where none ever was."""
        with self.store.read() as connection:
            row = source_rows.get(connection, "hr")
        if row is None or not row.mapping_text:
            return ""
        return next(
            name
            for name, text in TEXTS.items()
            if text.written(self.first_load) == row.mapping_text
        )

    def decides(self) -> bool:
        """Whether everything was read as the live file asks, so that a run decides on it."""
        with self.store.read() as connection:
            row = source_rows.get(connection, "hr")
        return row is not None and row.words == _words(row.mapping_text, row.file)

    def problems(self) -> dict[str, str]:
        with self.store.read() as connection:
            return {
                subject: " ".join(problem.messages)
                for _, subject, problem in problems.all(connection)
            }

    def audited(self, key: str) -> AuditRow | None:
        """What happened to a person last."""
        with self.store.read() as connection:
            return next(audit.find(connection, audit.Search(self.source_id, key)), None)

    def statements(self, start: int) -> tuple[list[dict[str, Any]], int]:
        """What the source has said since a place in its log, and the place to go on from."""
        with self.source.statements.open("rb") as log:
            log.seek(start)
            lines = log.readlines()
        return [json.loads(line) for line in lines], start + sum(map(len, lines))


@cache
def _words(text: str, file: str) -> str:
    return words_of(catalog.compile(text, file)) if text else ""


@cache
def _empty_store() -> bytes:
    """A store in which there is nothing yet; to make its tables takes longer than many runs."""
    with tempfile.TemporaryDirectory() as folder:
        Store.open(f"sqlite:///{folder}/empty.db").close()
        return Path(folder, "empty.db").read_bytes()
