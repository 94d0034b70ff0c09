"""The daemon's environment, ``BRIDGE_...``, as typed settings."""

from __future__ import annotations

from base64 import b64decode
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from bridge.errors import UsageError


class Settings(BaseSettings):
    """Everything about the daemon that is not about one source."""

    model_config = SettingsConfigDict(env_prefix="BRIDGE_", frozen=True, extra="ignore")

    mappings: Path = Field(Path("mappings"), description="Folder of the mapping files.")
    database: str = Field(
        "sqlite:///var/bridge.db", description="The store: `sqlite:///PATH` or `postgresql://...`."
    )
    listen: str = Field("127.0.0.1:8080", description="Address and port of the web role.")
    public_url: str = Field(
        "", description="The URL Okta reaches the web role by; stands in every `meta.location`."
    )
    tls_cert: Path | None = Field(None, description="PEM certificate chain: serve HTTPS itself.")
    tls_key: Path | None = Field(None, description="PEM key of `BRIDGE_TLS_CERT`.")
    trusted_proxies: str = Field(
        "", description="Comma-separated proxy addresses whose `X-Forwarded-*` are believed."
    )
    metrics_from: str = Field(
        "",
        description="Comma-separated addresses and networks that may read `/metrics` without a "
        "token, beside this machine.",
    )
    filter_seconds: int = Field(
        5, ge=1, le=60, description="Seconds that a filter may take before it is refused."
    )
    webhook: str = Field("", description="The URL that is told of every plan that is held.")
    webhook_secret: SecretStr | None = Field(
        None, description="What the webhook's messages are signed with, `whsec_` and base64."
    )
    webhook_private: bool = Field(
        False, description="Whether the webhook may be in a private network, and without TLS."
    )
    keep_runs: int = Field(
        90, ge=2, le=36_500, description="Days for which runs and finished plans are kept."
    )
    keep_audit: int = Field(730, ge=2, le=36_500, description="Days for which the audit is kept.")
    keep_leavers: int = Field(
        365,
        ge=2,
        le=36_500,
        description="Days for which a source's records are kept that it no longer has; whoever "
        "left is served as inactive for ever.",
    )
    log: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="How much is logged: debug, info, warning or error."
    )

    @field_validator("listen")
    @classmethod
    def _listen_is_address_and_port(cls, value: str) -> str:
        _, colon, port = value.rpartition(":")
        if not colon or not port.isdigit() or int(port) > 65535:
            raise ValueError("is ADDRESS:PORT, such as 127.0.0.1:8080")
        return value

    @field_validator("metrics_from")
    @classmethod
    def _metrics_from_are_networks(cls, value: str) -> str:
        for each in filter(None, map(str.strip, value.split(","))):
            try:
                ip_network(each)
            except ValueError:
                raise ValueError("is a list such as 10.0.0.7, 10.1.0.0/16") from None
        return value

    @field_validator("public_url")
    @classmethod
    def _public_url_is_a_url(cls, value: str) -> str:
        if value and not value.startswith(("https://", "http://")):
            raise ValueError("starts with https:// (or http:// for a trial)")
        return value.rstrip("/")

    @field_validator("webhook")
    @classmethod
    def _webhook_is_a_url(cls, value: str) -> str:
        parts = urlsplit(value)
        if value and (parts.scheme not in ("https", "http") or not parts.hostname):
            raise ValueError("is a URL such as https://alerts.example.com/bridge")
        return value

    @field_validator("webhook_secret")
    @classmethod
    def _webhook_secret_is_long_enough(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not 24 <= len(_key(value)) <= 64:
            raise ValueError(
                "is whsec_ and the base64 of 24 to 64 bytes: "
                "echo whsec_$(openssl rand -base64 32) makes one"
            )
        return value

    @model_validator(mode="after")
    def _webhook_is_signed_and_encrypted(self) -> Settings:
        if self.webhook and self.webhook_secret is None:
            raise ValueError("BRIDGE_WEBHOOK and BRIDGE_WEBHOOK_SECRET are set together")
        if self.webhook.startswith("http:") and not self.webhook_private:
            raise ValueError("BRIDGE_WEBHOOK starts with https://, or BRIDGE_WEBHOOK_PRIVATE=true")
        return self

    @model_validator(mode="after")
    def _certificate_and_key_come_together(self) -> Settings:
        if (self.tls_cert is None) != (self.tls_key is None):
            raise ValueError("BRIDGE_TLS_CERT and BRIDGE_TLS_KEY are set together")
        return self

    @property
    def metrics_networks(self) -> tuple[IPv4Network | IPv6Network, ...]:
        """The networks of ``metrics_from``."""
        listed = map(str.strip, self.metrics_from.split(","))
        return tuple(ip_network(each) for each in listed if each)

    @property
    def address(self) -> tuple[str, int]:
        host, _, port = self.listen.rpartition(":")
        return host.strip("[]"), int(port)

    @property
    def webhook_key(self) -> bytes:
        """The bytes of ``webhook_secret``."""
        return b"" if self.webhook_secret is None else _key(self.webhook_secret)

    @property
    def base_url(self) -> str:
        """Where the web role is reached, without a trailing slash."""
        if self.public_url:
            return self.public_url
        return f"{'https' if self.tls_cert else 'http'}://{self.listen}"


def _key(secret: SecretStr) -> bytes:
    prefix, _, encoded = secret.get_secret_value().partition("_")
    try:
        return b64decode(encoded, validate=True) if prefix == "whsec" else b""
    except ValueError:
        return b""


def load() -> Settings:
    """The settings of this process. Raises `UsageError` naming each wrong variable."""
    try:
        return Settings()
    except ValidationError as error:
        lines = []
        for fault in error.errors():
            name = "BRIDGE_" + str(fault["loc"][0]).upper() + ": " if fault["loc"] else ""
            lines.append(name + fault["msg"].removeprefix("Value error, "))
        raise UsageError("\n".join(lines)) from None
