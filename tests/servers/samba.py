"""A real Samba domain controller for the tests: one a run, a branch of its own for a test."""

from __future__ import annotations

import atexit
import os
import shutil
import socket
import subprocess
import tempfile
import time
from base64 import b64decode, b64encode
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import cache
from itertools import count
from pathlib import Path
from uuid import UUID

import pytest

from tests.servers.missing import skip_if
from tests.servers.slapd import ldif, make_certificates

DOMAIN = "DC=corp,DC=example,DC=test"
ADMIN, PASSWORD = f"CN=Administrator,CN=Users,{DOMAIN}", "Passw0rd.Admin"
"""May replicate changes, and so use DirSync; every account has this password."""
COUNTER = f"CN=svc-count,CN=Users,{DOMAIN}"
"""May see what is deleted, but not replicate changes."""
READER = f"CN=svc-read,CN=Users,{DOMAIN}"
"""An ordinary account, which may do neither."""
_SHOW_DELETED = "1.2.840.113556.1.4.417"
_SAMBA, _TOOL = (
    shutil.which(name, path="/usr/sbin:/usr/bin") or "" for name in ("samba", "samba-tool")
)
_CONF = """
[global]
netbios name = DC1
realm = CORP.EXAMPLE.TEST
workgroup = CORP
server role = active directory domain controller
server services = ldap kdc
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

    def grant(self, action: str, car: str, account: str) -> None:
        """Allow or deny a control access right on the domain."""
        subprocess.run(
            [_TOOL, "dsacl", "set", f"--configfile={self.folder}/etc/smb.conf",
             "-H", f"tdb://{self.folder}/private/sam.ldb", f"--action={action}", f"--car={car}",
             f"--objectdn={DOMAIN}", f"--trusteedn={account}"],
            check=True, capture_output=True,
        )  # fmt: skip

    def expire_passwords(self, days: str) -> None:
        """Let passwords expire after so many days; 0 for never."""
        _set_rules(self.folder, f"--max-pwd-age={days}")

    def export_key(self, account: str, keytab: Path) -> None:
        """Write an account's key to a file, and let this server be called by its address."""
        server = f"CN=DC1,OU=Domain Controllers,{DOMAIN}"
        name = f"ldap/{self.address}"
        if name not in self.value(server, "servicePrincipalName"):
            self.modify(
                f"dn: {server}\nchangetype: modify\nadd: servicePrincipalName\n"
                f"servicePrincipalName: {name}\n"
            )
        subprocess.run(
            [_TOOL, "domain", "exportkeytab", str(keytab), f"--principal={account}",
             f"--configfile={self.folder}/run.conf"],
            check=True, capture_output=True,
        )  # fmt: skip

    def set_password(self, account: str, password: str) -> None:
        """Set an account's password, with which it can be used."""
        code = b64encode(f'"{password}"'.encode("utf-16-le")).decode()
        self.modify(
            f"dn: {account}\nchangetype: modify\nreplace: unicodePwd\nunicodePwd:: {code}\n-\n"
            "replace: userAccountControl\nuserAccountControl: 512\n"
        )

    def modify(self, ldif: str) -> None:
        """Change entries, as LDIF change records; records without changetype are added.

        What is deleted can be changed too.
        """
        self._run("ldapmodify", "-a", "-e", f"!{_SHOW_DELETED}", input=ldif)

    def delete(self, dn: str) -> str:
        """Delete an object; returns the DN of what is left of it."""
        found = self._run("ldapsearch", "-LLL", "-s", "base", "-b", dn, "objectGUID")
        guid = UUID(bytes_le=b64decode(found.partition("objectGUID:: ")[2].strip()))
        self.modify(f"dn: {dn}\nchangetype: delete\n")
        return f"{dn.partition(',')[0]}\\0ADEL:{guid},CN=Deleted Objects,{DOMAIN}"

    def value(self, dn: str, attribute: str) -> str:
        """The values of an attribute, a line each."""
        found = self._run(
            "ldapsearch", "-LLL", "-o", "ldif-wrap=no", "-s", "base", "-b", dn, attribute
        )
        lines = (line.partition(f"{attribute}: ") for line in found.splitlines())
        return "\n".join(value for before, _, value in lines if not before)

    def restore(self, left: str, dn: str) -> None:
        """Bring back what is left of an object, without what the domain forgot of it."""
        self.modify(
            f"dn: {left}\nchangetype: modify\ndelete: isDeleted\n-\n"
            f"replace: distinguishedName\ndistinguishedName: {dn}\n"
        )

    def _run(self, tool: str, *arguments: str, input: str = "") -> str:
        done = subprocess.run(
            [tool, "-x", "-H", self.url, "-D", ADMIN, "-w", PASSWORD, *arguments],
            input=input.encode(), capture_output=True,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout.decode()


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
    _set_rules(folder, "--complexity=off", "--min-pwd-length=0", "--max-pwd-age=0")


def _set_rules(folder: Path, *rules: str) -> None:
    subprocess.run(
        [_TOOL, "domain", "passwordsettings", "set", *rules,
         f"--configfile={folder}/etc/smb.conf", "-H", f"tdb://{folder}/private/sam.ldb"],
        check=True, capture_output=True,
    )  # fmt: skip


def _add_accounts(server: Samba) -> None:
    for account in (COUNTER, READER):
        name = account[3:].partition(",")[0]
        server.modify(ldif(account, objectClass="user", sAMAccountName=name))
        server.set_password(account, PASSWORD)
    admins = f"CN=Domain Admins,CN=Users,{DOMAIN}"
    server.modify(f"dn: {admins}\nchangetype: modify\nadd: member\nmember: {COUNTER}\n")
    server.grant("deny", "get-changes", COUNTER)


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
        _add_accounts(server)
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


@cache
def _server() -> Samba:
    stack = ExitStack()
    atexit.register(stack.close)
    return stack.enter_context(temporary_samba())


@pytest.fixture(scope="session")
def samba_server() -> Samba:
    """One domain controller a process, whichever modules use it; half a minute to make."""
    skip_if(_missing())
    return _server()


_numbers = count(1)


@pytest.fixture
def domain(samba_server: Samba) -> str:
    """The DN of an empty branch of a test's own, in a running domain."""
    dn = f"OU=Test{next(_numbers)},{DOMAIN}"
    samba_server.modify(ldif(dn, objectClass="organizationalUnit"))
    return dn
