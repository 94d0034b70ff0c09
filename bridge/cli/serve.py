"""`bridge serve`, `web` and `syncd`: the daemon."""

from __future__ import annotations

import os
import shutil
import sys
import time
from pathlib import Path
from socket import socket
from typing import Annotated

import httpx
import typer

from bridge import app as processes
from bridge import settings
from bridge.cli import log
from bridge.cli.output import complain, say
from bridge.errors import BridgeError
from bridge.settings import Settings
from bridge.store import Store, plans, tokens
from bridge.store.pages import Pages
from bridge.sync import catalog
from bridge.sync.leadership import utc_now

_WAIT_SECONDS = 30.0

Supervised = Annotated[bool, typer.Option("--supervised", hidden=True)]


def register(app: typer.Typer) -> None:
    app.command()(serve)
    app.command()(web)
    app.command()(syncd)
    app.command(hidden=True)(alive)


def serve(
    new_token: Annotated[
        str,
        typer.Option(metavar="NAME", help="Also make a token of this name and print it, once."),
    ] = "",
) -> None:
    """Run the bridge: the web and the sync role, each brought back when it dies.

    Example: bridge serve --new-token okta
    """
    loaded = settings.load()
    log.configure(loaded)
    with processes.listen(loaded) as listener:
        catalog.load(loaded.mappings)  # a folder that is not there is told at once
        store = Store.open(loaded.database)
        secret = _new_token(store, new_token) if new_token else ""
        code = processes.supervise(listener, lambda: _welcome(loaded, store, secret))
        store.close()
    if code:
        raise typer.Exit(code)


def web(
    socket_handle: Annotated[int, typer.Option("--socket", hidden=True)] = -1,
    supervised: Supervised = False,
) -> None:
    """Run the web role alone: it serves SCIM from the store, and needs no mapping file."""
    loaded = settings.load()
    log.configure(loaded)
    listener = processes.listen(loaded) if socket_handle < 0 else socket(fileno=socket_handle)
    with listener:
        processes.run_web(loaded, listener, supervised)


def syncd(supervised: Supervised = False) -> None:
    """Run the sync role alone: it reads the sources and publishes; one at a time does."""
    loaded = settings.load()
    log.configure(loaded)
    processes.run_syncd(loaded, supervised)


def alive() -> None:
    """End with 0 where the web role of this machine answers: the health check of a container."""
    if not _answers(settings.load()):
        raise typer.Exit(1)


def _new_token(store: Store, name: str) -> str:
    """A token of that name; older ones of the name stay good for a day."""
    with store.write() as connection:
        now = utc_now()
        good = [
            token
            for token in tokens.listing(connection)
            if token.name == name and tokens.is_good(token, now)
        ]
        if good:
            return tokens.rotate(connection, name, tokens.OVERLAP, now)[1]
        return tokens.create(connection, name, None, now)[1]


def _welcome(loaded: Settings, store: Store, secret: str) -> None:
    """Say where the bridge is reached, once it answers; runs in a thread of its own."""
    try:
        _say_where(loaded, _wait_until_serving(loaded, store), secret)
    except BridgeError as error:
        complain(str(error))


def _say_where(loaded: Settings, ready: bool, secret: str) -> None:
    base = f"{loaded.base_url}/scim/v2"
    say(f"\nSCIM base URL   {base}")
    if secret:
        say(f"Token           {secret}")
        say("                (shown this once; what you start next time is another one)")
        say("\nLook at the first two people, as Okta would:\n")
        say(f"  curl -H 'Authorization: Bearer {secret}' '{base}/Users?startIndex=1&count=2'")
    else:
        say(f"Token           {_command()} token create NAME   makes one")
    if ready:
        say("\nWhat next, in a second terminal:\n")
        say(f"  {_command()} status       how the source is, and what waits for you")
        say(f"  {_command()} people       who is served")
        say(f"  {_command()} why PERSON   why somebody is served as they are")
        say("\nREADME.md says how to connect Okta. Ctrl-C ends the bridge.\n")
    else:
        say(f"\nNobody is served yet. In a second terminal `{_command()} status` says why, and")
        say(f"`{_command()} plan list` shows what waits for your approval.\n")


def _command() -> str:
    """How the command is called in a terminal that stands here, where another program (that of
    iproute2, say) may answer to its bare name."""
    called, found = Path(sys.argv[0]), shutil.which("bridge")
    if found and Path(found).resolve() == called.resolve():
        return "bridge"
    return "python -m bridge" if called.name == "__main__.py" else os.path.relpath(called)


def _wait_until_serving(loaded: Settings, store: Store) -> bool:
    """Whether people are served, as soon as they are; a plan that is held is not waited for."""
    pages = Pages(store)
    try:
        end = time.monotonic() + _WAIT_SECONDS
        while time.monotonic() < end:
            with store.read() as connection:
                held = plans.listing(connection, states=[plans.HELD])
            serving = pages.serving()
            if (serving or held) and _answers(loaded):
                return serving
            time.sleep(0.1)
        return False
    finally:
        pages.close()


def _answers(loaded: Settings) -> bool:
    """Whether the web role answers at all; a certificate for its public name is no matter here."""
    scheme = "https" if loaded.tls_cert else "http"
    try:
        httpx.get(f"{scheme}://{loaded.listen}/healthz", verify=False, trust_env=False)
    except httpx.HTTPError:
        return False
    return True
