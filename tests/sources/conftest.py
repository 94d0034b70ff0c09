"""The servers that sources are tested against."""

from __future__ import annotations

from tests.servers.slapd import branch, slapd, slapd_server

__all__ = ["branch", "slapd", "slapd_server"]
