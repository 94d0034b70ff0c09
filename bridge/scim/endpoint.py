"""One path, and what each method is answered there."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping

from starlette.types import Receive, Scope, Send

from bridge.scim.answer import Answer, NoContent
from bridge.scim.errors import ScimError

Answering = Callable[[Scope, Receive], Awaitable[Answer]]


class Endpoint:
    """One route's ASGI application; its ``route`` stands in the access log.

    ``answers`` are by method; HEAD is answered as GET, without the body, by `Answer` itself.
    ``unsupported`` are methods that SCIM has here and this service has not: 501, where any other
    one is 405.
    """

    def __init__(
        self, route: str, answers: Mapping[str, Answering], unsupported: Collection[str] = ()
    ) -> None:
        self.route = route
        self._answers = dict(answers)
        if "GET" in answers:
            self._answers["HEAD"] = answers["GET"]
        self._unsupported = frozenset(unsupported)
        self._allow = ", ".join((*self._answers, "OPTIONS"))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        answering = self._answers.get(scope["method"])
        answer = await answering(scope, receive) if answering else self._other(scope["method"])
        await answer(scope, receive, send)

    def _other(self, method: str) -> Answer:
        if method == "OPTIONS":
            return NoContent(204, allow=self._allow)
        if method in self._unsupported:  # RFC 7644 section 3.12, table 8
            raise ScimError(501, "This service is read-only: people are changed at their source.")
        raise ScimError(405, f"The methods here are {self._allow}.", allow=self._allow)
