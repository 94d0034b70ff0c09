"""Refusals: what a SCIM client is told when it does not get what it asked for."""

from __future__ import annotations

import math

from bridge.errors import BridgeError


class ScimError(BridgeError):
    """A request that is answered with an error (RFC 7644 section 3.12).

    ``detail`` is a sentence for people and never repeats a value that the client sent.
    ``scim_type`` is a keyword of table 9, for 400 and 409 alone. ``headers`` go out beside the
    answer.
    """

    def __init__(self, status: int, detail: str, scim_type: str = "", **headers: str) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.scim_type = scim_type
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}


def later(status: int, detail: str, seconds: float) -> ScimError:
    """An error that says when to come back; Okta understands whole seconds alone."""
    return ScimError(status, detail, retry_after=str(max(1, math.ceil(seconds))))
