"""The ``bridge`` command: data on stdout, everything else on stderr, exit codes as documented."""

from __future__ import annotations

import atexit
import gc
import os
import sys
import traceback
from contextlib import redirect_stdout
from importlib import import_module
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from bridge import __version__
from bridge.cli.output import at_end, complain, say, show_faults
from bridge.cli.stdout import NobodyReads, Stdout
from bridge.errors import BridgeError, FileFaults, OutputFailed
from bridge.lazy import Lazy
from bridge.sync.garbage import rarely_collected

_MODULES = {
    "serve": "serve",
    "web": "serve",
    "syncd": "serve",
    "alive": "serve",
    "sync": "sync",
    "status": "status",
    "people": "people",
    "why": "why",
    "preview": "preview",
    "audit": "audit",
    "deactivate": "override",
    "activate": "override",
    "erase": "erase",
    "relink": "relink",
    "check": "files",
    "test": "files",
    "schema": "files",
    "doctor": "doctor",
    "backup": "backup",
    "restore": "backup",
    "plan": "plan",
    "override": "override",
    "source": "source",
    "token": "token",
    "webhook": "webhook",
}
"""The module of each command, in the order of the help."""


def _command(name: str) -> Any:
    commands = typer.Typer()
    with rarely_collected():
        import_module(f"bridge.cli.{_MODULES[name]}").register(commands)
    return typer.main.get_group(commands).commands[name]


class _Bridge(TyperGroup):
    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        self.commands = Lazy(tuple(_MODULES), _command)  # type: ignore[assignment]  # none is added


app = typer.Typer(
    name="bridge",
    cls=_Bridge,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


def _version(asked: bool) -> None:
    if asked:
        say(f"bridge {__version__}")
        raise typer.Exit


@app.callback()
def bridge(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help="Print the version."),
    ] = False,
) -> None:
    """Tell Okta who works here, from the company's directory or HR system."""


def main() -> None:
    """Run one command; ends the process with its exit code, never with a traceback."""
    # Python looks for garbage once more at the end, which takes longer than many a command.
    atexit.register(gc.freeze)
    sys.stderr = sys.stderr or open(os.devnull, "w")  # noqa: SIM115 # lives as long as the process
    code = 0
    out = Stdout.of_process()
    try:
        with redirect_stdout(out):
            code = _run()
            out.flush()
    except NobodyReads:
        out.drop()
    except OutputFailed as error:
        out.drop()
        complain(str(error))
        code = error.exit_code
    finally:
        at_end.close()
        out.detach()
    sys.exit(code)


def _run() -> int:
    """Run one command and give its exit code; only what is wrong with its output is raised."""
    try:
        return int(app(prog_name="bridge", standalone_mode=False) or 0)
    except OutputFailed:
        raise
    except FileFaults as error:
        show_faults(error.faults)
        return error.exit_code
    except BridgeError as error:
        complain(str(error))
        return error.exit_code
    except typer.TyperException as error:
        if hasattr(error, "show"):
            error.show()  # with the command's usage beside it
        else:
            complain(error.format_message())
        return error.exit_code
    except (KeyboardInterrupt, typer.Abort):
        return 130
    except Exception as error:
        if os.environ.get("BRIDGE_LOG") == "debug":
            traceback.print_exc()
        place = traceback.extract_tb(error.__traceback__)[-1]
        complain(
            f"a fault of the bridge: {type(error).__name__} in {place.name}, line {place.lineno}; "
            "please report it (BRIDGE_LOG=debug shows more)"
        )
        return 1
