"""A real Samba domain controller for the tests: one a run, a branch of its own for a test."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import pytest

from tests.servers.missing import skip_if
from tests.servers.slapd import ldif, make_certificates

DOMAIN = "DC=corp,DC=example,DC=test"
ADMIN, PASSWORD = f"CN=Administrator,CN=Users,{DOMAIN}", "Passw0rd.Admin"
_SAMBA, _TOOL = (
    shutil.which(name, path="/usr/sbin:/usr/bin") or "" for name in ("samba", "samba-tool")
)
_CONF = """
[global]
netbios name = DC1
realm = CORP.EXAMPLE.TEST
workgroup = CORP
server role = active directory domain controller
server services = ldap
interfaces = {address}/8
bind interfaces only = yes
ldap server require strong auth = no
tls certfile = {tls}/good.pem
tls keyfile = {tls}/good.key
tls cafile = {tls}/ca.pem
ldb:nosync = true
private dir = {folder}/private
state directory = {folder}/state
cache directory = {folder}/cache
lock directory = {folder}
pid directory = {folder}/pid
ncalrpc dir = {folder}/ncalrpc
binddns dir = {folder}/bind-dns
log file = {folder}/log
"""


@dataclass(frozen=True)
class Samba:
    """A domain controller in a folder of its own, at a loopback address of its own."""

    folder: Path
    address: str
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"ldap://{self.address}"

    def start(self) -> None:
        """Start it, and wait until it answers."""
        conf = self.folder / "run.conf"
        conf.write_text(
            _CONF.format(folder=self.folder, address=self.address, tls=self.folder / "tls")
        )
        with (self.folder / "out").open("wb") as out:
            # Ends by itself when its input does: with the process of the tests, however that ends.
            process = subprocess.Popen(
                [_SAMBA, "-i", "-M", "single", "-s", str(conf)],
                stdin=subprocess.PIPE, stdout=out, stderr=out, cwd="/", start_new_session=True,
            )  # fmt: skip
        self.processes.append(process)
        deadline = time.monotonic() + 60
        while True:
            try:
                socket.create_connection((self.address, 389), 2).close()
                return
            except OSError:
                if process.poll() is not None or time.monotonic() > deadline:
                    pytest.fail(f"samba did not start: {(self.folder / 'out').read_text()}")
                time.sleep(0.05)

    def stop(self) -> None:
        """End it at once."""
        while self.processes:
            process = self.processes.pop()
            assert process.stdin is not None
            process.stdin.close()
            process.kill()
            process.wait(30)

    def modify(self, ldif: str) -> None:
        """Change entries, as LDIF change records; records without changetype are added."""
        done = subprocess.run(
            ["ldapmodify", "-a", "-x", "-H", self.url, "-D", ADMIN, "-w", PASSWORD],
            input=ldif.encode(), capture_output=True,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr.decode()


def _missing() -> str:
    tools = {"samba": _SAMBA, "samba-tool": _TOOL, "ldapmodify": shutil.which("ldapmodify"),
             "openssl": shutil.which("openssl")}  # fmt: skip
    lacking = [name for name, path in tools.items() if not path]
    if lacking:
        return (
            f"{', '.join(lacking)} missing: apt-get install samba samba-ad-provision "
            "samba-dsdb-modules samba-vfs-modules winbind python3-samba ldb-tools"
        )
    if os.geteuid() != 0:
        return "Samba's ports are below 1024, which takes root"
    return ""


def _provision(folder: Path) -> None:
    (folder / "etc").mkdir()
    (folder / "etc/smb.conf").touch()
    subprocess.run(
        [_TOOL, "domain", "provision", f"--configfile={folder}/etc/smb.conf",
         f"--targetdir={folder}", "--realm=CORP.EXAMPLE.TEST", "--domain=CORP",
         "--server-role=dc", "--dns-backend=NONE", "--use-rfc2307", f"--adminpass={PASSWORD}",
         "--host-name=dc1", "--host-ip=127.0.0.1"],
        check=True, capture_output=True,
    )  # fmt: skip
    (folder / "pid").mkdir()
    # The domain's own rules for passwords are of no interest here.
    for setting in ("--complexity=off", "--min-pwd-length=0", "--max-pwd-age=0"):
        subprocess.run(
            [_TOOL, "domain", "passwordsettings", "set", setting,
             f"--configfile={folder}/etc/smb.conf", "-H", f"tdb://{folder}/private/sam.ldb"],
            check=True, capture_output=True,
        )  # fmt: skip


def _free_address() -> str:
    """A loopback address whose LDAP ports nobody has."""
    for number in range(1, 255):
        address = f"127.77.{os.getpid() % 250 + 1}.{number}"
        with socket.socket() as plain, socket.socket() as secure:
            try:
                plain.bind((address, 389))
                secure.bind((address, 636))
            except OSError:
                continue
        return address
    pytest.fail("no loopback address has its LDAP ports free")


@contextmanager
def temporary_samba() -> Iterator[Samba]:
    """A running domain controller; it ends with the block or the process."""
    folder = Path(tempfile.mkdtemp(prefix="bridge-samba-", dir="/tmp"))
    server = Samba(folder, _free_address())
    try:
        _provision(folder)
        make_certificates(folder / "tls")
        server.start()
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def samba_server() -> Iterator[Samba]:
    """One domain controller a run; half a minute to make."""
    skip_if(_missing())
    with temporary_samba() as server:
        yield server


_numbers = count(1)


@pytest.fixture
def domain(samba_server: Samba) -> str:
    """The DN of an empty branch of a test's own, in a running domain."""
    dn = f"OU=Test{next(_numbers)},{DOMAIN}"
    samba_server.modify(ldif(dn, objectClass="organizationalUnit"))
    return dn
