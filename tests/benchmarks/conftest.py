"""The servers that benchmarks need, started as for other tests."""

from tests.servers.slapd import slapd_server

__all__ = ["slapd_server"]
