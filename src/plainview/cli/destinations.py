"""plainview destinations: connect systems of other makers, which hand in what their cameras recorded."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from django.db import transaction

from plainview.cli.start import opened, utc_now
from plainview.cli.talk import answer, answer_json, say
from plainview.evidence.destination_actions import close_destination
from plainview.evidence.destination_queries import destinations
from plainview.formats.times import format_at
from plainview.pipeline.destinations import Connection, check_connection, make_connection
from plainview.pipeline.errors import UnfitConnectionError
from plainview.pipeline.installation import publish
from plainview.service.files import write_private_file

if TYPE_CHECKING:
    from pathlib import Path

    from plainview.evidence.destination_queries import KnownDestination


@dataclass(frozen=True)
class Files:
    """The files of a connection.

    Attributes:
        certificates: PEM files of certificates that the system trusts the server by.
        output: where the connection file goes; it must not exist.
    """

    certificates: tuple[Path, ...]
    output: Path


def make(data: Path, connection: Connection, files: Files, *, as_json: bool) -> None:
    """Connect a system, and write the connection file that it is configured with: both or neither."""
    pems = [path.read_bytes() for path in files.certificates]
    connection = replace(connection, certificates=pems)
    check_connection(connection)
    if files.output.exists():
        raise UnfitConnectionError(f"a file that does not exist yet, got {files.output}")
    with opened(data, command="plainview destinations make", say=say) as here:
        with transaction.atomic():
            file = make_connection(here.installation, connection, actor=here.actor, now=utc_now())
            write_private_file(files.output, file)
        publish(here.installation)
    if as_json:
        answer_json({"name": connection.name, "file": str(files.output)})
        return
    answer(f"{connection.name}  {files.output}")
    say(
        "The file holds the connection's password, which is kept nowhere else. Import it into AXIS Body Worn Manager "
        "as a content destination, then remove it."
    )


def show(data: Path, *, as_json: bool) -> None:
    """List the connected systems."""
    with opened(data, command="plainview destinations list", say=say):
        for each in destinations():
            if as_json:
                answer_json(_record(each))
            else:
                state = "open" if each.closed_at is None else f"closed {format_at(each.closed_at)}"
                secrecy = "encrypted" if each.key_name else "not encrypted"
                answer(f"{each.name}  {each.account}  {state}  {secrecy}")


def close(data: Path, name: str) -> None:
    """Let a connected system hand in nothing more."""
    with opened(data, command="plainview destinations close", say=say) as here:
        close_destination(name=name, actor=here.actor, now=utc_now())
        publish(here.installation)
    answer(f"{name} can hand in nothing more")


def _record(each: KnownDestination) -> dict[str, Any]:
    return {
        "name": each.name,
        "account": each.account,
        "addresses": each.settings.get("addresses", []),
        "is_encrypted": bool(each.key_name),
        "content_key": each.key_name or None,
        "made_at": format_at(each.made_at),
        "closed_at": None if each.closed_at is None else format_at(each.closed_at),
    }
