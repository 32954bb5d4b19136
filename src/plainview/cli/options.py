"""Options that many commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Data = Annotated[
    Path | None,
    typer.Option(
        "--data",
        help="The data directory. Default: PLAINVIEW_DATA, or the user's data folder.",
        show_default=False,
    ),
]
Json = Annotated[
    bool, typer.Option("--json", help="Answer with JSON on standard output; nothing else is printed there.")
]


def data_of(given: Path | None) -> Path:
    """Return the data directory: the one given, or the setting's."""
    from django.conf import settings

    return given or settings.PLAINVIEW_DATA
