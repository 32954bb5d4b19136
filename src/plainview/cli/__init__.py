"""Commands. `main` is the program; each command's module does its work."""

import importlib
import sys

# Each has a module of its name here with `run(arguments) -> exit code`, and works where only its own extra is
# installed: it needs neither typer nor Django, and starts at once.
ALONE = ("verify", "camera", "dock")


def main() -> None:
    """Run the program; the commands that stand alone are answered before anything else is loaded."""
    from plainview.cli.refusals import refusals_said

    with refusals_said():
        if sys.argv[1:2] and sys.argv[1] in ALONE:
            sys.exit(importlib.import_module(f"plainview.cli.{sys.argv[1]}").run(sys.argv[2:]))
        from plainview.cli.commands import run_command

        run_command()
