"""Commands. `main` is the program; each command's module does its work."""

import sys


def main() -> None:
    """Run the program.

    verify is answered here: it needs neither typer nor Django, so it starts at once and works where only [verify] is
    installed.
    """
    from plainview.cli.refusals import refusals_said

    with refusals_said():
        if sys.argv[1:2] == ["verify"]:
            from plainview.cli.verify import run

            sys.exit(run(sys.argv[2:]))
        from plainview.cli.commands import run_command

        run_command()
