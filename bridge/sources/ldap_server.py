"""Which LDAP servers a file names, and who logs in there."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator, model_validator

from bridge.sources import Duration, SourceSettings

_LONGEST_CONNECT = 10


@dataclass(frozen=True, slots=True)
class Host:
    """One of the servers that ``url`` names."""

    url: str
    name: str
    port: int
    tls: bool
    """Whether TLS is there from the first byte (``ldaps://``)."""

    @property
    def is_this_machine(self) -> bool:
        with suppress(ValueError):
            return ip_address(self.name).is_loopback
        return self.name == "localhost"


class ConnectionSettings(SourceSettings):
    """What any source that speaks LDAP has to know to connect."""

    url: str = Field(
        description="`ldaps://HOST` or `ldap://HOST`; several, comma separated, are tried in this "
        "order."
    )
    start_tls: bool = Field(
        False, description="Turn `ldap://` into TLS before anything else is said."
    )
    unencrypted: bool = Field(
        False,
        description="Allow `ldap://` without TLS: whoever is on the way reads the password and "
        "everybody's data, and can change what the bridge believes.",
    )
    ca_file: Path | None = Field(
        None, description="PEM file of the authorities to trust instead of the system's."
    )
    bind_dn: str = Field(
        "", description="Who to log in as; without it the server is asked anonymously."
    )
    password: SecretStr = Field(SecretStr(""), description="The password of `bind_dn`.")
    principal: str = Field(
        "", description="Who to log in as by Kerberos instead, such as `svc-bridge@CORP.EXAMPLE`."
    )
    keytab: Path | None = Field(
        None,
        description="The file with the key of `principal`; without it there has to be a ticket "
        "(kinit).",
    )
    timeout: Duration = Field(
        timedelta(seconds=30),
        gt=timedelta(0),
        description="How long the server may stay silent before the read breaks off.",
    )

    @field_validator("url")
    @classmethod
    def _every_url_names_a_host(cls, value: str) -> str:
        for each in value.split(","):
            _host(each.strip())
        return value

    @model_validator(mode="after")
    def _nothing_secret_goes_in_the_clear(self) -> ConnectionSettings:
        for host in self.hosts:
            if self.start_tls and host.tls:
                raise ValueError("`start_tls` goes with ldap://; ldaps:// is TLS already")
            if not (host.tls or self.start_tls or self.unencrypted or host.is_this_machine):
                raise ValueError(
                    f"{host.url} would send everything in the clear: write ldaps://, or "
                    "`start_tls: true`, or, where the network is trusted, `unencrypted: true`"
                )
        if self.bind_dn and not self.password.get_secret_value():
            # RFC 4513 5.1.2: the server would say yes, and show what anonymous may see.
            raise ValueError("`bind_dn` needs a `password` that is not empty")
        if self.principal and self.bind_dn:
            raise ValueError("`principal` logs in by Kerberos, `bind_dn` by password: take one")
        if self.keytab and not self.principal:
            raise ValueError("`keytab` needs the `principal` whose key it holds")
        return self

    @property
    def connect_seconds(self) -> int:
        """How long a server may take to answer at all."""
        return min(int(self.timeout.total_seconds()), _LONGEST_CONNECT)

    @property
    def hosts(self) -> tuple[Host, ...]:
        return tuple(_host(each.strip()) for each in self.url.split(","))


def _host(url: str) -> Host:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise ValueError("holds no port that exists") from None
    if parts.username is not None:  # it may be followed by a password, and is not repeated
        raise ValueError("holds a name before the host: that is for `bind_dn` and `password`")
    if parts.scheme not in ("ldap", "ldaps") or not parts.hostname:
        raise ValueError("is not ldaps://HOST or ldap://HOST, with :PORT if unusual")
    if parts.path not in ("", "/") or parts.query:
        raise ValueError("holds more than a host and a port")
    tls = parts.scheme == "ldaps"
    return Host(url, parts.hostname, port or (636 if tls else 389), tls)
