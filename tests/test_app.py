"""`bridge serve`: both roles, brought back when they die, ended together."""

from __future__ import annotations

import os
import re
import shlex
import signal
import socket
import subprocess
import sys

import httpx
import pytest

from tests.processes import ROOT, Bridge, Running, is_alive, role, wait_until


def token_of(running: Running) -> str:
    """The token that the welcome shows."""
    return running.wait_for("Token").split()[1]


def test_the_curl_line_of_the_welcome_works_as_printed(bridge: Bridge) -> None:
    with bridge.start("serve", "--new-token", "sample") as running:
        line = running.wait_for("curl -H").strip()
        answer = subprocess.run(
            [*shlex.split(line), "--silent"], capture_output=True, text=True, check=True
        )
        assert '"totalResults":5' in answer.stdout
        assert answer.stdout.count('"userName"') == 2
        running.wait_for("Ctrl-C")
        assert any(bridge.base in line for line in running.out)
        assert running.end(signal.SIGINT) == 0
    assert token_of(running) not in "".join(running.err)


def test_a_second_start_goes_on_where_the_first_one_was(bridge: Bridge) -> None:
    with bridge.start("serve", "--new-token", "sample") as running:
        first = token_of(running)
        running.wait_for("curl")
        before = bridge.users(first).content
        assert running.end() == 0
    with bridge.start("serve", "--new-token", "sample") as running:
        second = token_of(running)
        running.wait_for("curl")
        assert second != first
        assert bridge.users(second).content == before
        assert bridge.users(first).status_code == 200  # good for a day more
    assert not [line for line in running.err if "standing by" in line]


def test_a_first_load_that_is_held_is_told_at_once(bridge: Bridge) -> None:
    bridge.edit("limits: { first_load: publish }", "")
    with bridge.start("serve", "--new-token", "sample") as running:
        running.wait_for("plan list")
        assert bridge.users(token_of(running)).status_code == 503


@pytest.mark.parametrize("name", ["web", "syncd"])
def test_a_role_that_is_killed_comes_back(bridge: Bridge, name: str) -> None:
    with bridge.start("serve", "--new-token", "sample") as running:
        token = token_of(running)
        running.wait_for("curl")
        before = role(running, name)
        os.kill(before, signal.SIGKILL)
        running.wait_for("a role died")
        wait_until(lambda: role(running, name) != before, "the new one")
        assert bridge.users(token).status_code == 200  # a request meanwhile only waits
        assert running.end() == 0


def test_no_process_is_left_behind_when_the_supervisor_is_killed(bridge: Bridge) -> None:
    with bridge.start("serve", "--new-token", "sample") as running:
        running.wait_for("curl")
        roles = [role(running, "web"), role(running, "syncd")]
        running.send(signal.SIGKILL)
        wait_until(lambda: not any(map(is_alive, roles)), "the end of both roles")
    with bridge.start("serve", "--new-token", "sample") as running:
        running.wait_for("curl")
        assert running.end() == 0
    # The roles ended in good order: the lease did not have to run out.
    assert not [line for line in running.err if "standing by" in line]


def test_everything_ends_with_the_words_of_a_role_that_cannot_start(bridge: Bridge) -> None:
    certificate = bridge.folder / "cert.pem"
    certificate.write_text("this is no certificate")
    bridge.settings |= {
        "BRIDGE_TLS_CERT": str(certificate),
        "BRIDGE_TLS_KEY": str(certificate),
    }
    ran = bridge.run("serve")
    assert ran.returncode == 2
    assert "BRIDGE_TLS_CERT or BRIDGE_TLS_KEY cannot be used" in ran.stderr
    assert "Traceback" not in ran.stderr


@pytest.mark.parametrize("command", [["serve", "--new-token", "sample"], ["web"]])
def test_a_taken_port_is_told_before_anything_else_happens(
    bridge: Bridge, command: list[str]
) -> None:
    host, _, port = bridge.settings["BRIDGE_LISTEN"].partition(":")
    with socket.create_server((host, int(port))):
        ran = bridge.run(*command)
    assert ran.returncode == 2
    assert "BRIDGE_LISTEN" in ran.stderr
    assert bridge.settings["BRIDGE_LISTEN"] in ran.stderr
    assert not bridge.database.exists()


@pytest.mark.parametrize("command", ["serve", "syncd"])
def test_a_folder_of_mappings_that_is_not_there_is_told_at_once(
    bridge: Bridge, command: str
) -> None:
    bridge.settings["BRIDGE_MAPPINGS"] = "elsewhere"
    ran = bridge.run(command)
    assert ran.returncode == 2
    assert "elsewhere is not a folder" in ran.stderr


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("command", ["web", "syncd", "serve"])
def test_every_role_ends_cleanly_when_it_is_told_to(
    bridge: Bridge, command: str, signum: int
) -> None:
    with bridge.start(command) as running:
        if command == "web":
            wait_until(lambda: answers(bridge), "an answer")
        else:
            running.wait_for("leading")
        assert running.end(signum) == 0
    assert "Traceback" not in "".join(running.err)


def answers(bridge: Bridge) -> bool:
    host, _, port = bridge.settings["BRIDGE_LISTEN"].partition(":")
    try:
        socket.create_connection((host, int(port))).close()
    except OSError:
        return False
    return bridge.users("wrong").status_code == 401


def test_a_port_of_ipv6_is_served(bridge: Bridge) -> None:
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6) as free:
            port = free.getsockname()[1]
    except OSError:
        pytest.skip("this machine has no IPv6")
    bridge.settings["BRIDGE_LISTEN"] = f"[::1]:{port}"
    with bridge.start("serve", "--new-token", "sample") as running:
        running.wait_for("curl")
        assert bridge.users(token_of(running)).json()["totalResults"] == 5


def test_the_command_of_make_run_works_in_a_copy_of_the_tree(bridge: Bridge) -> None:
    """As after `git clone`, but with the packages that are installed already."""
    command = re.search(
        r"^run:.*\n\t@\$\(BIN\)/bridge (.*)$", (ROOT / "Makefile").read_text(), re.M
    )
    assert command is not None
    copy = bridge.folder / "clone"
    copy.mkdir()
    for name in ("bridge", "mappings"):
        subprocess.run(["cp", "-R", str(ROOT / name), str(copy)], check=True)
    console = copy / "console.py"
    console.write_text("from bridge.cli import main\nmain()\n")
    process = subprocess.Popen(
        [sys.executable, str(console), *command[1].split()],
        cwd=copy,
        env={**bridge.environment, "PYTHONPATH": str(copy)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    running = Running(process)
    try:
        running.wait_for("Ctrl-C")
        people = bridge.users(token_of(running), "?count=1000").json()
        assert people["totalResults"] > 200
        assert running.end(signal.SIGINT) == 0
    finally:
        process.kill()
        process.wait()
        for stream in (process.stdout, process.stderr):
            assert stream is not None
            stream.close()
    assert (copy / "var" / "bridge.db").is_file()


SECRETS = {"BRIDGE_DATABASE": "postgresql://bridge:m4rk3rpassword@127.0.0.1:1/bridge"}


@pytest.mark.parametrize(
    "command",
    ["serve", "web", "syncd", "sync", "status", "people", "plan list", "token list", "why x"],
)
def test_no_output_holds_the_password_of_the_database(bridge: Bridge, command: str) -> None:
    bridge.settings |= SECRETS | {"BRIDGE_LOG": "debug"}
    ran = bridge.run(*command.split())
    assert ran.returncode == 8
    assert "database server does not answer" in ran.stderr
    assert "m4rk3rpassword" not in ran.stdout + ran.stderr


def test_no_log_holds_the_token_that_a_client_signs_in_with(bridge: Bridge) -> None:
    bridge.settings["BRIDGE_LOG"] = "debug"
    with bridge.start("serve", "--new-token", "sample") as running:
        token = token_of(running)
        running.wait_for("curl")
        assert bridge.users(token).status_code == 200
        assert bridge.users("brg_m4rk3rtoken").status_code == 401
        assert running.end() == 0
    log = "".join(running.err)
    assert '"route"' in log
    assert token not in log
    assert "m4rk3rtoken" not in log


def test_a_folder_named_bridge_beside_the_store_is_not_mistaken_for_the_bridge(
    bridge: Bridge,
) -> None:
    (bridge.folder / "bridge").mkdir()
    (bridge.folder / "bridge" / "__init__.py").write_text("raise SystemExit('mistaken')")
    # As the installed command does, whose folder is not on the path.
    code = (
        "import sys; del sys.path[0]; sys.argv[1:] = ['serve']; from bridge.cli import main; main()"
    )
    with bridge.start(code=code) as running:
        running.wait_for("leading")
        assert running.end() == 0


def test_health_is_told_without_a_token_and_metrics_to_this_machine(bridge: Bridge) -> None:
    bridge.settings["BRIDGE_TRUSTED_PROXIES"] = "127.0.0.1"
    root = bridge.base.removesuffix("/scim/v2")
    with bridge.start("serve", "--new-token", "sample") as running:
        token = token_of(running)
        running.wait_for("curl")
        assert httpx.get(f"{root}/healthz").json() == {"alive": True}
        wait_until(lambda: httpx.get(f"{root}/healthz/fresh").status_code == 200, "all being well")
        assert bridge.users(token).status_code == 200
        figures = httpx.get(f"{root}/metrics").text
        assert 'bridge_people{source="hr",state="active"} 5.0' in figures
        assert 'route="/scim/v2/Users"' in figures
        proxied = {"X-Forwarded-For": "127.0.0.1"}
        assert httpx.get(f"{root}/metrics", headers=proxied).status_code == 401
        bridge.file.unlink()
        wait_until(lambda: httpx.get(f"{root}/healthz/fresh").status_code == 503, "the alarm")
        assert "paused" in httpx.get(f"{root}/healthz/fresh").json()["reasons"][0]
        assert running.end() == 0


def test_alive_tells_whether_the_web_role_answers(bridge: Bridge) -> None:
    assert bridge.run("alive").returncode == 1
    with bridge.start("web") as running:
        wait_until(lambda: bridge.run("alive").returncode == 0, "an answer")
        assert running.end() == 0


def test_sighup_ends_nothing(bridge: Bridge) -> None:
    with bridge.start("serve", "--new-token", "sample") as running:
        token = token_of(running)
        running.wait_for("curl")
        roles = [role(running, "web"), role(running, "syncd")]
        running.send(signal.SIGHUP)
        running.wait_for("secrets are read again")
        assert bridge.users(token).status_code == 200
        assert [role(running, "web"), role(running, "syncd")] == roles
        assert running.end() == 0


def test_the_sync_role_that_comes_back_after_a_kill_waits_for_no_lease(bridge: Bridge) -> None:
    with bridge.start("serve", "--new-token", "sample") as running:
        running.wait_for("curl")
        os.kill(role(running, "syncd"), signal.SIGKILL)
        wait_until(lambda: len(running.logged("leading")) == 2, "the new one")
        assert not running.logged("standing by")
        assert running.end() == 0
