"""Every error the bridge raises on purpose, named by what happens next.

    BridgeError
    ├── UsageError             the command or a setting is wrong: correct it
    │   └── NotHeld            somebody's word on a plan came first: look at it again
    ├── FileFaults             a mapping file is wrong: fix the file, the live one goes on
    ├── EntryFault             one entry cannot be mapped: skip this entry, list it, go on
    ├── IncompleteRead         the read proves nothing about who is absent: read again later
    ├── SourceUnavailable      nothing answered, or it refused us: try later, or ask a person
    │   └── AccessRefused      our credentials were refused: a person mends them, no quick retry
    ├── WebhookFailed          nobody confirmed a message: it is sent again later
    ├── LeaseHeld              another process publishes: ask that one, or wait
    ├── StorageError           the store cannot be read or written: free, mend or restore it
    └── OutputFailed           what a command prints cannot be written: write it elsewhere

``exit_code`` is what a command ends with when the error reaches it. Messages hold names of
attributes, files and lines, never a person's values, and never a secret.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


class BridgeError(Exception):
    """Something went wrong in a way the bridge knows how to explain."""

    exit_code = 1


class UsageError(BridgeError):
    """The command line or a setting is wrong; the message says what to write instead."""

    exit_code = 2


class NotHeld(UsageError):
    """A plan no longer waits for a word; nothing of it can be changed."""


class IncompleteRead(BridgeError):
    """The source answered, but not with everything; nobody may be called absent because of it."""

    exit_code = 4


class SourceUnavailable(BridgeError):
    """The source did not answer or refused us; nothing was read."""

    exit_code = 7


class AccessRefused(SourceUnavailable):
    """The source refused our credentials; trying them again and again would lock the account."""


class WebhookFailed(BridgeError):
    """A webhook could not be reached, or did not confirm that it took the message."""

    exit_code = 7


class LeaseHeld(BridgeError):
    """Another process holds the lease, so this one must not publish."""

    exit_code = 6


class StorageError(BridgeError):
    """The store could not be opened, read or written; nothing of the transaction was kept."""

    exit_code = 8


class OutputFailed(BridgeError):
    """What a command prints could not be written; what it was told to do is done."""

    exit_code = 9


class EntryFault(BridgeError):
    """One entry cannot be mapped; everybody else is."""


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """One thing wrong in a file, at a position counted from 1."""

    file: str
    line: int
    column: int
    message: str
    hint: str = ""
    source_line: str = ""

    def __str__(self) -> str:
        hint = f" ({self.hint})" if self.hint else ""
        return f"{self.file}:{self.line}:{self.column}: {self.message}{hint}"


class FileFaults(BridgeError):
    """A mapping file has faults; all of them are listed, in the order of the file."""

    exit_code = 5

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults = tuple(sorted(faults))
        super().__init__("\n".join(map(str, self.faults)))
