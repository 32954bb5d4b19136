"""The bays as a table in a terminal, kept up to date."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from plainview.dock.words import say_bay, say_camera

if TYPE_CHECKING:
    from collections.abc import Sequence

    from plainview.dock.words import Bay

# The same shapes as on the wall; words say it too.
MARKS = {"safe": "■", "busy": "○", "waits": "‖", "attention": "▲"}
STYLES = {"safe": "bold blue", "busy": "", "waits": "dim", "attention": "bold yellow"}


def bays_table(name: str, bays: Sequence[Bay]) -> Table:
    """Return a table with a row a bay."""
    table = Table(title=f"Dock {name}", title_justify="left", expand=True)
    for column in ("", "Camera", "Wearer", "State"):
        table.add_column(column, overflow="fold")
    for bay in bays:
        words = say_bay(bay)
        # Text, not markup: what a camera calls itself must not steer the terminal.
        state = Text(words.headline, style=STYLES[words.shape])
        for line in (words.line, *words.problems[:2]):
            state.append(f"\n{_plain(line)}", style="not bold")
        table.add_row(
            MARKS[words.shape],
            Text(_plain(say_camera(bay.make, bay.model, bay.serial))),
            Text(_plain(bay.wearer)),
            state,
        )
    if not bays:
        table.add_row("", "", "", "No camera is here. Put one in; nothing needs to be pressed.")
    return table


def _plain(text: str) -> str:
    return "".join(letter if letter.isprintable() else "?" for letter in text)
