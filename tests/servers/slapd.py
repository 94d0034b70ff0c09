"""A real slapd for the tests: one server a run, a branch of its own for a test."""

from __future__ import annotations

import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

import pytest

from tests.servers.missing import skip_if
from tests.servers.ports import free_port

SUFFIX = "dc=uni,dc=example"
PLAIN = "dc=plain,dc=example"
"""A database of the same server that tells no changes."""
ROOT, ROOT_PASSWORD = f"cn=root,{SUFFIX}", "root secret"
READER, READER_PASSWORD = f"cn=reader,{SUFFIX}", "reader secret"
LOCKED, EXPIRED, RESET = (f"cn={name},{SUFFIX}" for name in ("locked", "expired", "reset"))
_SLAPD, _SLAPADD = (shutil.which(name, path="/usr/sbin") or "" for name in ("slapd", "slapadd"))

_SECRETS = "to attrs=userPassword by anonymous auth by * none"
_READERS = f'to * by dn.exact="{READER}" read by * none'
_CONF = """
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/nis.schema
include /etc/ldap/schema/inetorgperson.schema
attributetype ( 1.3.6.1.4.1.5923.1.1.1.1 NAME 'eduPersonAffiliation'
  EQUALITY caseIgnoreMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 )
attributetype ( 2.16.840.1.113730.3.1.13 NAME 'mailAlternateAddress'
  EQUALITY caseIgnoreIA5Match SYNTAX 1.3.6.1.4.1.1466.115.121.1.26 )
objectclass ( 1.3.6.1.4.1.5923.1.1.2 NAME 'eduPerson' AUXILIARY
  MAY ( eduPersonAffiliation $ mailAlternateAddress ) )
modulepath /usr/lib/ldap
moduleload back_mdb
moduleload memberof
moduleload ppolicy
moduleload syncprov
pidfile {folder}/pid
TLSCertificateFile {folder}/tls/{certificate}.pem
TLSCertificateKeyFile {folder}/tls/{certificate}.key
sizelimit unlimited
database config
rootdn cn=config
rootpw "root secret"
database mdb
suffix "dc=uni,dc=example"
rootdn "cn=root,dc=uni,dc=example"
rootpw "root secret"
directory {folder}/data
maxsize 1073741824
dbnosync
index objectClass,entryUUID,entryCSN eq
access {secrets}
access {readers}
overlay syncprov
syncprov-sessionlog 10000
overlay memberof
overlay ppolicy
ppolicy_default "cn=policy,dc=uni,dc=example"
ppolicy_use_lockout
database mdb
suffix "dc=plain,dc=example"
rootdn "cn=root,dc=uni,dc=example"
directory {folder}/plain
maxsize 1073741824
dbnosync
index objectClass,entryUUID eq
access {secrets}
access {readers}
database monitor
access to * by dn.exact="cn=reader,dc=uni,dc=example" read by * none
"""


@dataclass(frozen=True)
class Slapd:
    """A slapd in a folder of its own; it may be stopped and started again."""

    folder: Path
    port: int
    tls_port: int
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"ldap://127.0.0.1:{self.port}"

    @property
    def ca_file(self) -> Path:
        return self.folder / "tls/ca.pem"

    def load(self, ldif: str, suffix: str = SUFFIX) -> None:
        """Add entries while it is stopped, as an administrator loads a directory."""
        self._run(_SLAPADD, "-q", "-f", str(self.folder / "slapd.conf"), "-b", suffix, given=ldif)

    def configure(self, certificate: str = "good") -> None:
        """Write what it is started with."""
        conf = _CONF.format(
            folder=self.folder, certificate=certificate, secrets=_SECRETS, readers=_READERS
        )
        (self.folder / "slapd.conf").write_text(conf)

    def start(self, certificate: str = "good") -> None:
        """Start it with one of the certificates good, soon (ends within a week), expired,
        elsewhere (another host) and unknown (signed by an authority nobody trusts), and wait
        until it answers."""
        self.configure(certificate)
        urls = f"ldap://127.0.0.1:{self.port} ldaps://127.0.0.1:{self.tls_port}"
        with (self.folder / "log").open("wb") as log:
            process = subprocess.Popen(
                ["sh", "-c", _UNTIL_STDIN_ENDS, _SLAPD, "-f", str(self.folder / "slapd.conf"),
                 "-h", urls, "-d", "0"],
                stdin=subprocess.PIPE, stdout=log, stderr=log, cwd="/", start_new_session=True,
            )  # fmt: skip
        self.processes.append(process)
        deadline = time.monotonic() + 30
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.tls_port), 2).close()
                return
            except OSError:
                if process.poll() is not None or time.monotonic() > deadline:
                    pytest.fail(f"slapd did not start: {(self.folder / 'log').read_text()}")
                time.sleep(0.02)

    def stop(self) -> None:
        """Kill it as a power cut would."""
        while self.processes:
            process = self.processes.pop()
            assert process.stdin is not None
            process.stdin.close()
            process.wait(30)

    def modify(self, ldif: str, who: str = ROOT) -> None:
        """Change entries, as LDIF change records; records without changetype are added."""
        self._run("ldapmodify", "-a", "-x", "-H", self.url, "-D", who, "-w", ROOT_PASSWORD,
                  given=ldif)  # fmt: skip

    def restore(self, ldif: str) -> None:
        """Add entries with operational attributes of their own, such as their former ids."""
        self._run("ldapmodify", "-a", "-x", "-H", self.url, "-D", ROOT, "-w", ROOT_PASSWORD,
                  "-e", "!relax", given=ldif)  # fmt: skip

    def delete(self, dn: str) -> None:
        """Delete an entry, and a referral object itself."""
        self._run("ldapdelete", "-M", "-x", "-H", self.url, "-D", ROOT, "-w", ROOT_PASSWORD, dn)

    def set_size_limit(self, limit: str) -> None:
        """``sizelimit`` for everybody but the root, from now on."""
        self._set("olcSizeLimit", limit)

    def deny(self, *what: str) -> None:
        """Take rights from the reader, or give all of them back: each one names what is hidden
        (``attrs=mail``, ``dn.subtree="..."``), as slapd.access(5) has it."""
        self._set("olcAccess", _SECRETS, *(f"to {each} by * none" for each in what), _READERS)

    def _set(self, setting: str, *values: str) -> None:
        lines = "".join(f"{setting}: {value}\n" for value in values)
        changes = (
            f"dn: olcDatabase={{{number}}}mdb,cn=config\nchangetype: modify\n"
            f"replace: {setting}\n{lines}\n"
            for number in (1, 2)
        )
        self.modify("".join(changes), "cn=config")

    def try_to_log_in(self, dn: str, password: str) -> None:
        """Log in as somebody, whether it succeeds or not."""
        subprocess.run(["ldapwhoami", "-x", "-H", self.url, "-D", dn, "-w", password],
                       capture_output=True, check=False)  # fmt: skip

    def wrong_tries(self) -> int:
        """With how many wrong passwords the reader came since it last had the right one."""
        return self.search(READER, "pwdFailureTime").count("pwdFailureTime: ")

    def search(self, base: str, *attributes: str) -> str:
        """What ldapsearch says of everything under ``base``."""
        return self._run("ldapsearch", "-x", "-LLL", "-o", "ldif-wrap=no", "-H", self.url, "-D",
                         ROOT, "-w", ROOT_PASSWORD, "-b", base, *attributes)  # fmt: skip

    def _run(self, *command: str, given: str = "") -> str:
        done = subprocess.run(command, input=given.encode(), capture_output=True)
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout.decode()


# The pipe ends with the process of the tests, however that ends; the server then ends too.
_UNTIL_STDIN_ENDS = f'"$0" "$@" </dev/null & cat >/dev/null; kill -{int(signal.SIGKILL)} $!; wait'


def ldif(dn: str, **attributes: str | Sequence[str]) -> str:
    """One entry; values are ASCII."""
    lines = [f"dn: {dn}"]
    for name, values in attributes.items():
        lines += [f"{name}: {value}" for value in ([values] if isinstance(values, str) else values)]
    return "\n".join(lines) + "\n\n"


_POLICY = ("organizationalRole", "pwdPolicy")


def _base() -> str:
    people: Mapping[str, Mapping[str, str]] = {
        READER: {"userPassword": READER_PASSWORD},
        LOCKED: {"userPassword": READER_PASSWORD, "pwdAccountLockedTime": "000001010000Z"},
        EXPIRED: {
            "userPassword": READER_PASSWORD,
            "pwdPolicySubentry": f"cn=aging,{SUFFIX}",
            "pwdChangedTime": "20200101000000Z",
        },
        RESET: {"userPassword": READER_PASSWORD, "pwdReset": "TRUE"},
    }
    entries = [ldif(SUFFIX, objectClass=("dcObject", "organization"), dc="uni", o="Uni")]
    for name, more in (("policy", {}), ("aging", {"pwdMaxAge": "60"})):
        dn = f"cn={name},{SUFFIX}"
        entries.append(
            ldif(dn, objectClass=_POLICY, cn=name, pwdAttribute="userPassword",
                 pwdLockout="TRUE", pwdMaxFailure="20", pwdMustChange="TRUE", **more)
        )  # fmt: skip
    for dn, attributes in people.items():
        entries.append(ldif(dn, objectClass="person", sn="x", **attributes))
    return "".join(entries)


def make_certificates(folder: Path) -> None:
    """``ca`` signs all but ``unknown``, which is its own; all but ``elsewhere`` are localhost's.

    ``ca-soon`` is the same authority with a certificate that ends in three days.
    """
    folder.mkdir()
    soon = datetime.now(UTC) + timedelta(days=6, hours=12)

    def openssl(*arguments: str) -> None:
        subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)

    key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
    authority = ("-subj", "/CN=Test CA", "-addext", "keyUsage=critical,keyCertSign,cRLSign")
    openssl("req", "-x509", *key, "-keyout", "ca.key", "-out", "ca.pem", *authority,
            "-days", "7000")  # fmt: skip
    openssl("req", "-x509", "-key", "ca.key", "-out", "ca-soon.pem", *authority, "-days", "3")
    openssl("req", "-x509", *key, "-keyout", "unknown.key", "-out", "unknown.pem", "-days", "30",
            "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost")  # fmt: skip
    (folder / "ca.conf").write_text(
        "[ca]\ndefault_ca = d\n[d]\nnew_certs_dir = .\ndatabase = index\nserial = serial\n"
        "default_md = sha256\npolicy = p\ncopy_extensions = copy\nunique_subject = no\n"
        "x509_extensions = v3\n[v3]\nauthorityKeyIdentifier = keyid\n"
        "subjectKeyIdentifier = hash\n[p]\ncommonName = supplied\n"
    )
    (folder / "index").touch()
    (folder / "serial").write_text("01")
    for name, host, start, end in (
        ("good", "localhost", "200101000000Z", "400101000000Z"),
        ("elsewhere", "other.example", "200101000000Z", "400101000000Z"),
        ("expired", "localhost", "200101000000Z", "240101000000Z"),
        ("soon", "localhost", "200101000000Z", f"{soon:%y%m%d%H%M%SZ}"),
    ):
        openssl("req", *key, "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj",
                f"/CN={host}", "-addext", f"subjectAltName=DNS:{host}")  # fmt: skip
        openssl("ca", "-config", "ca.conf", "-batch", "-in", f"{name}.csr", "-out", f"{name}.pem",
                "-cert", "ca.pem", "-keyfile", "ca.key", "-notext", "-startdate", start,
                "-enddate", end)  # fmt: skip


def _missing() -> str:
    tools = {"slapd": _SLAPD, "slapadd": _SLAPADD, "ldapmodify": shutil.which("ldapmodify"),
             "openssl": shutil.which("openssl")}  # fmt: skip
    lacking = [name for name, path in tools.items() if not path]
    if not Path("/usr/lib/ldap/ppolicy.so").exists():
        lacking.append("ppolicy.so")
    if lacking:
        return f"{', '.join(lacking)} missing: apt-get install slapd ldap-utils openssl"
    return ""


@contextmanager
def temporary_slapd() -> Iterator[Slapd]:
    """A running slapd with the entries of the tests; it ends with the block or the process."""
    folder = Path(tempfile.mkdtemp(prefix="bridge-slapd-", dir="/tmp"))
    server = Slapd(folder, free_port(), free_port())
    try:
        for name in ("data", "plain"):
            (folder / name).mkdir()
        make_certificates(folder / "tls")
        server.configure()
        server.load(_base())
        server.load(ldif(PLAIN, objectClass=("dcObject", "organization"), o="Plain"), PLAIN)
        server.start()
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def slapd_server() -> Iterator[Slapd]:
    """One slapd a run."""
    skip_if(_missing())
    with temporary_slapd() as server:
        yield server


@pytest.fixture
def slapd(slapd_server: Slapd) -> Iterator[Slapd]:
    """The server, running with a good certificate, all rights and no limits, whatever tests do
    to it."""
    yield slapd_server
    if slapd_server.processes and slapd_server.processes[-1].poll() is None:
        slapd_server.set_size_limit("unlimited")
        slapd_server.deny()
    else:
        slapd_server.stop()
        slapd_server.start()


_numbers = count(1)


@pytest.fixture
def branch(slapd: Slapd) -> str:
    """The DN of an empty branch of a test's own."""
    return new_branch(slapd, SUFFIX)


@pytest.fixture
def plain_branch(slapd: Slapd) -> str:
    """The same where no changes are told."""
    return new_branch(slapd, PLAIN)


def new_branch(slapd: Slapd, suffix: str) -> str:
    dn = f"ou=test{next(_numbers)},{suffix}"
    slapd.modify(ldif(dn, objectClass="organizationalUnit"))
    return dn
