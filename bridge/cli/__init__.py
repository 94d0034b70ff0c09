"""The ``bridge`` command: data on stdout, everything else on stderr, exit codes as documented."""

from __future__ import annotations

import os
import sys
import traceback

import typer

from bridge.cli import (
    audit,
    backup,
    doctor,
    erase,
    files,
    override,
    people,
    plan,
    preview,
    relink,
    serve,
    source,
    status,
    sync,
    token,
    why,
)
from bridge.cli.output import at_end, complain
from bridge.errors import BridgeError, FileFaults

app = typer.Typer(
    name="bridge",
    help="Tell Okta who works here, from the company's directory or HR system.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
for group in (
    serve,
    sync,
    status,
    people,
    why,
    preview,
    audit,
    override,
    erase,
    relink,
    files,
    doctor,
    backup,
):
    group.register(app)
app.add_typer(plan.app, name="plan")
app.add_typer(override.app, name="override")
app.add_typer(source.app, name="source")
app.add_typer(token.app, name="token")


def main() -> None:
    """Run one command; ends the process with its exit code, never with a traceback."""
    try:
        code = app(prog_name="bridge", standalone_mode=False)
        sys.stdout.flush()
    except FileFaults as error:
        files.show_faults(error.faults)
        code = error.exit_code
    except BridgeError as error:
        complain(str(error))
        code = error.exit_code
    except typer.TyperException as error:
        if hasattr(error, "show"):
            error.show()  # with the command's usage beside it
        else:
            complain(error.format_message())
        code = error.exit_code
    except (KeyboardInterrupt, typer.Abort):
        code = 130
    except BrokenPipeError:
        # Whoever reads the output has enough; Python would complain when it flushes the rest.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 0
    except Exception as error:
        if os.environ.get("BRIDGE_LOG") == "debug":
            traceback.print_exc()
        place = traceback.extract_tb(error.__traceback__)[-1]
        complain(
            f"a fault of the bridge: {type(error).__name__} in {place.name}, line {place.lineno}; "
            "please report it (BRIDGE_LOG=debug shows more)"
        )
        code = 1
    finally:
        at_end.close()
    sys.exit(code)
