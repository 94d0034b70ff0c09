"""The README's ten minutes with a directory, done as they stand there."""

from __future__ import annotations

import re
import shlex
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from textwrap import dedent

from tests.acceptance.conftest import Cli
from tests.processes import ROOT, wait_until
from tests.servers.ports import free_port
from tests.servers.slapd import Slapd

_PORT = "3890"
# The pipe ends with the process of the tests, however that ends; the directory then ends too.
_UNTIL_STDIN_ENDS = 'sh -e -c "$0" </dev/null & cat >/dev/null; kill -KILL -$$'


def chapter(port: int) -> str:
    """The part of the README, with a port that is free."""
    text = (ROOT / "README.md").read_text()
    _, _, rest = text.partition("### Set it up in ten minutes\n")
    return rest.partition("\n### ")[0].replace(_PORT, str(port))


def block(text: str, language: str) -> str:
    """The one block in a language."""
    [found] = re.findall(rf"^ *```{language}\n(.*?)^ *```", text, re.DOTALL | re.MULTILINE)
    return dedent(found)


@contextmanager
def thrown_away(script: str, folder: Path, port: int) -> Iterator[None]:
    """The directory that a script makes and runs, until the block ends."""
    folder.mkdir()
    with subprocess.Popen(
        ["sh", "-c", _UNTIL_STDIN_ENDS, script],
        stdin=subprocess.PIPE,
        cwd=folder,
        start_new_session=True,
    ) as shell:
        wait_until(lambda: listens(port), "slapd")
        yield
    assert shell.returncode == -signal.SIGKILL


def listens(port: int) -> bool:
    with suppress(OSError):
        socket.create_connection(("127.0.0.1", port)).close()
        return True
    return False


def test_the_ten_minutes_of_the_readme_work_as_they_stand(
    slapd_server: Slapd, cli: Cli, tmp_path: Path
) -> None:
    assert slapd_server.processes  # a slapd can be had here; the README starts one of its own
    port = free_port()
    text = chapter(port)
    for sample in (cli.bridge.file, cli.bridge.export):
        sample.unlink()
    cli.bridge.file.with_name("uni.yaml").write_text(block(text, "yaml"))
    with thrown_away(block(text, "sh"), tmp_path / "directory", port):
        for line in block(text, "console").splitlines():
            match shlex.split(line.removeprefix("$ "), comments=True):
                case ["export", setting]:
                    cli.set(*setting.split("="))
                case ["bridge", *words]:
                    words = [cli.plan() if word == "HASH" else word for word in words]
                    cli(*words, code=3 if words == ["sync"] else 0)
                case other:
                    raise AssertionError(other)
        people = {row["userName"]: row["active"] for row in cli("people", "--json").json}
        assert people == {"ann.lee@uni.example": True, "bob.ray@uni.example": True}
        [delete] = re.findall(r"`(ldapdelete .*?)`", text)
        subprocess.run(shlex.split(delete), check=True)
        assert "1 no longer in the source" in cli("sync").out
    cli("sync", code=7)
    people = {row["userName"]: row["active"] for row in cli("people", "--json").json}
    assert people == {"ann.lee@uni.example": True, "bob.ray@uni.example": False}
