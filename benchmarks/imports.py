"""A full import over SCIM: the web role against scim2-server, with the same people.

    python -m benchmarks.imports [--people 10000]

Both are asked by the same client, page after page of 100, as Okta does. scim2-server is a complete
SCIM 2.0 server in Python that holds everything in memory; the bridge reads its SQLite store. The
second import of the bridge finds its pages ready.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

import httpx
import orjson

from benchmarks.pages import fill, free_address, person, serving
from bridge.store import Store

_PAGE = 100
_TOKEN = "benchmark"


class _Silent(WSGIRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        pass


def serve_peer(address: str, people: int) -> None:
    """Serve that many people from scim2-server's memory, set up as its command does."""
    from scim2_models import ScimProvider
    from scim2_server.memory import InMemoryStorage
    from scim2_server.service import ScimService
    from scim2_server.testserver.application import BEARER_TOKEN_SCHEME, BearerTokenApplication
    from scim2_server.utils import (
        load_default_resource_types,
        load_default_schemas,
        load_default_service_provider_config,
    )

    config = load_default_service_provider_config()
    config.authentication_schemes = [BEARER_TOKEN_SCHEME]
    schemas, types = load_default_schemas().values(), load_default_resource_types().values()
    provider = ScimProvider.from_discovery(schemas, types, config=config)
    service = ScimService(provider, secret=_TOKEN * 4)
    storage = InMemoryStorage()
    model: Any = provider.model_for("User")
    meta = {"resourceType": "User", "lastModified": "2026-07-04T12:00:00Z", "version": 'W/"1"'}
    documents = (orjson.loads(person(number).document) for number in range(people))
    storage.resources = [model.model_validate(one | {"meta": meta}) for one in documents]
    application = BearerTokenApplication(storage, provider, service=service, bearer_tokens=[_TOKEN])
    host, _, port = address.partition(":")
    with make_server(host, int(port), application, handler_class=_Silent) as server:
        server.serve_forever()


def full_import(url: str, token: str) -> tuple[int, float]:
    """Read everybody, page after page; how many, and the seconds it took."""
    started, start, read = time.perf_counter(), 1, 0
    with httpx.Client(headers={"Authorization": f"Bearer {token}"}, timeout=60) as client:
        while True:
            page = client.get(url, params={"startIndex": start, "count": _PAGE}).raise_for_status()
            answer = page.json()
            read += len(answer["Resources"])
            start += _PAGE
            if start > answer["totalResults"]:
                return read, time.perf_counter() - started


def measure(folder: Path, people: int) -> None:
    """Import from both and print what it took."""
    database = f"sqlite:///{folder}/bridge.db"
    store = Store.open(database)
    token, _ = fill(store, people)
    store.close()
    address, peer = free_address(), free_address()
    url, peer_url = f"http://{address}/scim/v2/Users", f"http://{peer}/v2/Users"
    took: dict[str, float] = {}
    with serving(
        ["-m", "bridge", "web"], url, {"BRIDGE_DATABASE": database, "BRIDGE_LISTEN": address}
    ):
        for name in ("bridge", "bridge, again"):
            read, took[name] = full_import(url, token)
            if read != people:
                sys.exit(f"the bridge served {read} of {people}")
    with serving(["-m", "benchmarks.imports", "--serve", peer, "--people", str(people)],
                 peer_url, {}):  # fmt: skip
        read, took["scim2-server"] = full_import(peer_url, _TOKEN)
        if read != people:
            sys.exit(f"scim2-server served {read} of {people}")
    print(f"{people:,} people, {_PAGE} a page")
    for name, seconds in took.items():
        times = took["scim2-server"] / seconds
        print(f"{name:<16}{seconds:>8.2f} s, {times:.1f} times as fast as scim2-server")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--people", type=int, default=10_000)
    parser.add_argument("--serve", metavar="ADDRESS", help="serve scim2-server there instead")
    given = parser.parse_args()
    if given.serve:
        serve_peer(given.serve, given.people)
        return
    with tempfile.TemporaryDirectory() as folder:
        measure(Path(folder), given.people)


if __name__ == "__main__":
    main()
