"""The servers that sources are tested against."""

from __future__ import annotations

from tests.servers.slapd import branch, plain_branch, slapd, slapd_server

__all__ = ["branch", "plain_branch", "slapd", "slapd_server"]
