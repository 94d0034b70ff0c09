"""`bridge webhook`: a message to see whether messages arrive."""

from __future__ import annotations

from uuid import uuid4

import typer

from bridge import settings
from bridge.cli.output import Json, data, say
from bridge.errors import UsageError
from bridge.sync.leadership import utc_now
from bridge.sync.webhook import Message, Webhook


def register(app: typer.Typer) -> None:
    app.command()(webhook)


def webhook(as_json: Json = False) -> None:
    """Send a test message to BRIDGE_WEBHOOK and tell whether it was taken.

    Example: bridge webhook
    """
    loaded = settings.load()
    if not loaded.webhook:
        raise UsageError(
            "there is no webhook: set BRIDGE_WEBHOOK to its URL and BRIDGE_WEBHOOK_SECRET to what "
            "its messages are signed with"
        )
    now = utc_now()
    message = Message(f"test_{uuid4().hex}", "test", now, {"next": "nothing: this is a test"})
    Webhook(loaded.webhook, loaded.webhook_key, loaded.webhook_private).send(message, now)
    if as_json:
        data({"url": loaded.webhook, "id": message.id, "type": message.type})
    else:
        say("The webhook took a signed message of type `test`.")
