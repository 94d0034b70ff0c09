"""The processes of the bridge, assembled: the web role, the sync role, and their supervisor."""

from bridge.app.supervisor import supervise
from bridge.app.syncd import run_syncd
from bridge.app.web import listen, run_web

__all__ = ["listen", "run_syncd", "run_web", "supervise"]
