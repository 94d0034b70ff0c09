"""Everything is run once with marked secrets and people; then all that was told is searched."""

from __future__ import annotations

import base64
import signal
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

import httpx
import psycopg
import pytest

from tests.processes import Bridge, Running, children, wait_until
from tests.servers.postgres import Server, postgres_server
from tests.servers.receiver import receiving
from tests.servers.slapd import (
    READER,
    READER_PASSWORD,
    SUFFIX,
    Slapd,
    ldif,
    new_branch,
    slapd_server,
)

__all__ = ["postgres_server", "slapd_server"]

KEY = "zqxWebhookKeyThatSignsMessages00"
SECRETS = {
    "the password of the directory": READER_PASSWORD,
    "a wrong password of the directory": "zqx-wrong-password",
    "a password that stands in a mapping file": "zqx-plain-password",
    "a password beside a fault of a mapping file": "zqx-beside-a-fault",
    "the password of the database": "zqx-database",
    "what signs the webhook's messages": KEY,
    "a token that is none": "brg_zqxtoken",
}
PERSONAL = {
    "a given name": "Zqxgiven",
    "a family name": "Zqxfamily",
    "a mail address": "zqxmail@example.com",
    "a title": "Zqxtitle",
    "a value that cannot be worked out": "zqxnoday",
    "an error's message": "Zqxmessage",
}

MAPPING = """\
version: 1
name: uni
source:
  type: ldap
  url: {url}
  base: {base}
  bind_dn: {reader}
  password: ${{file:{secret}}}
attributes: [entryUUID, uid, givenName, sn, mail, title, description]
key: entryUUID
external_id: uid
vars:
  ends: description | date
active:
  rules:
    - {{ when: ends <= today, then: false, reason: last day has passed }}
  otherwise: {{ then: true, reason: listed }}
user:
  userName: {{ expr: mail, required: true }}
  title: title
  name:
    givenName: {{ expr: givenName, required: true }}
    familyName: {{ expr: sn, required: true }}
  emails: [{{ value: mail, primary: true }}]
"""

# A fault of the bridge whose message holds what a person is called, in a command and in SCIM.
CRASH = """\
import sys
from unittest.mock import patch
from bridge.cli import main
sys.argv = ["bridge", *{arguments!r}]
with patch({place!r}, side_effect=ValueError("Zqxmessage " + "zqxmail@example.com")):
    main()
"""


@dataclass
class Told:
    """Everything that came out of the bridge, by where it came out."""

    asked: dict[str, str] = field(default_factory=dict)
    """The answers of commands, which may hold people; of the store and its copies, too."""
    unasked: dict[str, str] = field(default_factory=dict)
    """Logs, errors, metrics, messages, names of processes: nobody's values belong there."""
    tokens: list[str] = field(default_factory=list)
    codes: dict[str, int] = field(default_factory=dict)

    def all(self) -> Mapping[str, str]:
        return self.asked | self.unasked


def spellings(marker: str) -> set[str]:
    """A marker as it is, and as it stands in a URL, in Base64 and in hex."""
    raw = marker.encode()
    encoded = base64.b64encode(raw).decode().rstrip("=")
    return {marker, quote(marker, safe=""), encoded, raw.hex()}


def found(markers: Mapping[str, str], texts: Mapping[str, str]) -> list[str]:
    """Which marker is told where."""
    return [
        f"{what} in {where}"
        for where, text in texts.items()
        for what, marker in markers.items()
        if any(spelled.lower() in text.lower() for spelled in spellings(marker))
    ]


class Story:
    """Runs commands and keeps what they tell."""

    def __init__(self, bridge: Bridge, told: Told) -> None:
        self.bridge, self.told = bridge, told

    def run(self, *arguments: str, code: int = 0, code_of: str = "") -> str:
        if code_of:
            with self.bridge.start(code=code_of) as running:
                running.wait()
            self.keep(f"a crash of {' '.join(arguments)}", running)
            return "".join(running.out)
        ran = self.bridge.run(*arguments)
        name = f"bridge {' '.join(arguments)}, command {len(self.told.codes)}"
        self.told.asked[f"{name}, stdout"] = ran.stdout
        self.told.unasked[f"{name}, stderr"] = ran.stderr
        self.told.codes[name] = ran.returncode
        assert ran.returncode == code, (name, ran.stdout, ran.stderr)
        return ran.stdout

    def keep(self, name: str, running: Running) -> None:
        self.told.asked[f"{name}, stdout"] = "".join(running.out)
        self.told.unasked[f"{name}, stderr"] = "".join(running.err)

    def ask(self, path: str, token: str, status: int) -> None:
        """What the web role answers: people to whoever has a token, and to nobody else."""
        root = self.bridge.base.removesuffix("/scim/v2")
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        answer = httpx.get(root + path, headers=headers, timeout=60)
        assert answer.status_code == status, (path, answer.text)
        kept = self.told.asked if path.startswith("/scim") and status == 200 else self.told.unasked
        kept[f"the answer {status} to {path}"] = f"{answer.headers!r}{answer.text}"


def tell_everything(bridge: Bridge, slapd: Slapd, database: str, secret: Path) -> Told:
    told = Told()
    story = Story(bridge, told)
    base = new_branch(slapd, SUFFIX)
    for uid, more in {
        "a": {"title": "Zqxtitle"},
        "b": {"description": "zqxnoday"},
        "c": {"description": "2020-01-01"},
    }.items():
        mail = f"{uid}.zqxmail@example.com"
        slapd.modify(
            ldif(f"uid={uid},{base}", objectClass="inetOrgPerson", uid=uid, cn="Zqxgiven",
                 givenName="Zqxgiven", sn="Zqxfamily", mail=mail, **more)
        )  # fmt: skip
    good = MAPPING.format(url=slapd.url, base=base, reader=READER, secret=secret)
    secret.write_text(READER_PASSWORD)
    bridge.export.unlink()
    bridge.file.write_text(good)
    bridge.settings["BRIDGE_DATABASE"] = database.replace("postgres@", "postgres:zqx-database@")
    bridge.settings["BRIDGE_LOG"] = "debug"

    # As it should be: a first load that is held and told, approved, served, looked at.
    with receiving() as receiver:
        bridge.settings |= {
            "BRIDGE_WEBHOOK": receiver.url,
            "BRIDGE_WEBHOOK_SECRET": f"whsec_{base64.b64encode(KEY.encode()).decode()}",
            "BRIDGE_WEBHOOK_PRIVATE": "true",
        }
        story.run("webhook")
        with bridge.start("serve", "--new-token", "okta") as serve:
            told.tokens.append(serve.wait_for("Token").split()[1])
            wait_until(lambda: len(receiver.got) > 1, "the message about the first load")
            roles = children(serve.process.pid)
            for pid in (serve.process.pid, *roles):
                told.unasked[f"the command line of {pid}"] = (
                    Path(f"/proc/{pid}/cmdline").read_bytes().decode()
                )
            story.ask("/scim/v2/Users", told.tokens[0], 503)
            [plan] = bridge.json("plan", "list")
            story.run("plan", "show", plan["hash"])
            story.run("plan", "approve", plan["hash"])
            story.run("sync", "--full")
            person = 'filter=userName eq "a.zqxmail@example.com"'
            story.ask("/scim/v2/Users", told.tokens[0], 200)
            story.ask(f"/scim/v2/Users?{person}", told.tokens[0], 200)
            story.ask("/scim/v2/Users?filter=zqxmail.x eq 1", told.tokens[0], 400)
            story.ask("/scim/v2/Users/Zqxgiven", told.tokens[0], 404)
            story.ask("/scim/v2/Users", "brg_zqxtoken", 401)
            story.ask("/scim/v2/Users?access_token=brg_zqxtoken", "", 401)
            story.ask("/Zqxgiven", "", 404)
            story.ask("/metrics", "", 200)
            story.ask("/healthz", "", 200)
            # A password that is refused, then a file whose fault stands beside a secret.
            secret.write_text("zqx-wrong-password")
            serve.send(signal.SIGHUP)
            story.run("sync", "--full", code=7)
            bridge.file.write_text(good.replace("bind_dn:", "pasword: zqx-beside-a-fault\n  dn:"))
            serve.wait_for("faulty mapping file")
            story.ask("/healthz/fresh", "", 503)
            story.ask("/metrics", "", 200)
            serve.end()
        story.keep("bridge serve", serve)
        for number, (headers, body) in enumerate(receiver.got):
            told.unasked[f"the message {number} to the webhook"] = f"{headers}{body.decode()}"
        receiver.status = 500
        story.run("webhook", code=7)

    # What is wrong in every way that stands near a secret.
    for fault in (
        "password: zqx-plain-password",
        "password: [zqx-plain-password",
        "password: zqx-beside-a-fault ${file:/nowhere}",
        "password: ${fil:zqx-beside-a-fault}",
        "{ password: zqx-beside-a-fault, pasword: zqx-plain-password }",
    ):
        bridge.file.write_text(good.replace(f"password: ${{file:{secret}}}", fault))
        story.run("check", code=5)
    for command in ("check --json", "sync", "doctor uni"):
        story.run(*command.split(), code=5)
    bridge.file.write_text(good)
    story.run("doctor", "uni", code=7)
    story.run("doctor", "uni", "--json", code=7)
    story.run("check", "--online", code=7)
    bridge.file.write_text(good.replace(slapd.url, "ldap://127.0.0.1:1"))
    story.run("sync", "--full", code=7)
    bridge.file.write_text(good)
    secret.write_text(READER_PASSWORD)
    story.run("sync", "--full")

    # Every other command, and the store with its copies.
    story.run("check", "--show")
    story.run("check", "--online")
    story.run("doctor")
    told.tokens += [
        bridge.json("token", "create", "entra")["token"],
        bridge.json("token", "rotate", "okta")["token"],
    ]
    story.run("token", "revoke", "entra")
    story.run("token", "list", "--json")
    story.run("deactivate", "a.zqxmail@example.com", "--reason", "asked")
    for command in (
        "status",
        "status --json",
        "people",
        "why a.zqxmail@example.com --all",
        "why a.zqxmail@example.com --json",
        "audit --export",
        "preview uni",
        "override list",
        "plan list --all",
    ):
        story.run(*command.split())
    story.run("why", "example.com", code=2)
    backup = bridge.folder / "backup.db"
    story.run("backup", str(backup))
    story.run("restore", str(backup), code=2)
    story.run("restore", str(backup), "--replace")
    story.run("sync", "--full")
    told.asked["the backup"] = kept_in_sqlite(backup) + backup.read_bytes().decode("latin-1")
    told.asked["the store"] = kept_in_postgresql(database)

    # A fault of the bridge, and a store that is not there.
    del bridge.settings["BRIDGE_LOG"]
    for place, *arguments in (
        ("bridge.store.resources.listing", "people"),
        ("bridge.sync.run.Sync.run", "sync"),
    ):
        story.run(*arguments, code_of=CRASH.format(place=place, arguments=arguments))
    bridge.settings["BRIDGE_DATABASE"] = "postgresql://zqx:zqx-database@127.0.0.1:1/zqx"
    story.run("status", code=8)
    bridge.settings["BRIDGE_DATABASE"] = "mysql://zqx:zqx-database@127.0.0.1:1/zqx"
    story.run("status", code=2)
    return told


def kept_in_sqlite(file: Path) -> str:
    with closing(sqlite3.connect(file)) as connection:
        tables = connection.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table'"
        ).fetchall()
        rows = [row for [name] in tables for row in connection.execute(f"SELECT * FROM {name}")]
    return plain(rows)


def kept_in_postgresql(url: str) -> str:
    names = "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'"
    with psycopg.connect(url) as connection:
        tables = connection.execute(names).fetchall()
        rows = [
            row
            for [name] in tables
            for row in connection.execute(f"SELECT * FROM {name}".encode()).fetchall()
        ]
    return plain(rows)


def plain(rows: list[tuple[object, ...]]) -> str:
    cells = (cell for row in rows for cell in row)
    return "\n".join(c.decode("latin-1") if isinstance(c, bytes) else str(c) for c in cells)


@pytest.fixture(scope="module")
def told(
    slapd_server: Slapd, postgres_server: Server, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Told]:
    folder = tmp_path_factory.mktemp("secrets")
    postgres_server.run("CREATE DATABASE secrets")
    (folder / "bridge").mkdir()
    yield tell_everything(
        Bridge(folder / "bridge"), slapd_server, postgres_server.url("secrets"), folder / "password"
    )
    postgres_server.run("DROP DATABASE secrets WITH (FORCE)")


def test_no_secret_is_told_or_kept_anywhere(told: Told) -> None:
    assert found(SECRETS, told.all()) == []


def test_a_token_is_told_to_whoever_made_it_and_to_nobody_else(told: Told) -> None:
    tokens = {f"token {number}": token for number, token in enumerate(told.tokens)}
    assert len(set(tokens.values())) == 3
    assert found(tokens, told.all()) == ["token 0 in bridge serve, stdout"]
    assert found(tokens, told.unasked) == []


def test_nobody_s_values_are_in_logs_errors_metrics_or_messages(told: Told) -> None:
    assert found(PERSONAL, told.unasked) == []


def test_what_was_searched_holds_what_belongs_there(told: Told) -> None:
    """A search that finds nothing of what is there would prove nothing."""
    for where in ("the backup", "the store"):
        names = {text.split(" in ")[0] for text in found(PERSONAL, {where: told.asked[where]})}
        assert {"a given name", "a family name", "a mail address", "a title"} <= names
    assert found(PERSONAL, {n: text for n, text in told.asked.items() if "bridge people" in n})
    log = told.unasked["bridge serve, stderr"]
    for event in ("request", "synced", "faulty mapping file", "told the webhook"):
        assert f'"event":"{event}"' in log
    for number in (2, 5, 7, 8):
        assert number in told.codes.values()
    assert "a fault of the bridge: ValueError" in told.unasked["a crash of people, stderr"]
    assert "a fault of the bridge: ValueError" in told.unasked["a crash of sync, stderr"]


@pytest.mark.parametrize(
    "settings",
    [
        "{ type: ldap, url: 'ldap://reader:zqx-plain@127.0.0.1', base: dc=x }",
        "{ type: ldap, urll: ldap://127.0.0.1, base: dc=x, password: zqx-plain }",
        "{ type: ldap, url: ldap://127.0.0.1, base: dc=x, pasword: zqx-plain }",
        "{ type: csv, path: x.csv, secret: 'zqx-plain }",
    ],
)
def test_a_secret_in_the_wrong_place_is_not_repeated(bridge: Bridge, settings: str) -> None:
    bridge.file.write_text(f"version: 1\nname: uni\nsource: {settings}\n")
    for options in ([], ["--show", "--json"]):
        ran = bridge.run("check", *options)
        assert ran.returncode == 5
        assert "zqx-plain" not in ran.stdout + ran.stderr


@pytest.mark.parametrize("channel", ["stdout", "stderr"])
def test_a_marker_that_a_command_tells_is_found(bridge: Bridge, channel: str) -> None:
    told = Told()
    say = f"import sys; print('Zqxfamily', '{READER_PASSWORD}', file=sys.{channel})"
    Story(bridge, told).run("people", code_of=say)
    markers = {"a secret": READER_PASSWORD, "a family name": "Zqxfamily"}
    assert len(found(markers, told.all())) == 2


@pytest.mark.parametrize("spelled", sorted(spellings("a secret/é")))
def test_a_marker_is_found_however_it_is_spelled(spelled: str) -> None:
    assert found({"it": "a secret/é"}, {"here": f"x{spelled}x"}) == ["it in here"]
