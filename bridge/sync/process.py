"""Which process this is, so that another one on the same machine can see whether it is gone.

A process id alone names nothing: another machine, another container and the machine after its next
start have the same numbers. So the mark holds the start of the kernel, the namespace of process
ids, the id in it, and when that process was started (proc(5)). Where any of it cannot be read or is
another one, nobody is called gone, and the lease is waited for. Should a copy of a running virtual
machine be mistaken for it all the same, a publication still finds out that it was taken over.
"""

from __future__ import annotations

import os
from pathlib import Path

_PROC = Path("/proc")
_DEAD = ("Z", "X")


def mark() -> str:
    """What to remember of this process; empty on a system without Linux's ``/proc``."""
    try:
        return f"{_here()} {os.getpid()} {_state(os.getpid())[1]}"
    except OSError:
        return ""


def is_gone(mark: str) -> bool:
    """Whether the process of a mark has ended for certain."""
    try:
        kernel, namespace, pid, started = mark.split()
        if f"{kernel} {namespace}" != _here():
            return False
        os.kill(int(pid), 0)  # asks for a sign of life, and is not fooled by a hidden /proc
    except ProcessLookupError:
        return True
    except PermissionError:
        pass
    except (ValueError, OSError):
        return False
    try:
        state, since = _state(int(pid))
    except OSError:
        return False
    return state in _DEAD or since != started


def _here() -> str:
    kernel = (_PROC / "sys/kernel/random/boot_id").read_text().strip()
    return f"{kernel} {os.readlink(_PROC / 'self/ns/pid')}"


def _state(pid: int) -> tuple[str, str]:
    """The state of a process, and when it started, in ticks since the kernel did."""
    # The second field is the name of the program, in brackets, and may hold anything.
    fields = (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    return fields[0], fields[19]
