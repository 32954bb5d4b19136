"""The commands and their options. Each opens what it needs and calls its module."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from plainview.cli.camera_commands import cameras_app, docks_app
from plainview.cli.options import Data, Json
from plainview.cli.options import data_of as _data

SETTINGS_MODULE = "plainview.project.settings"

app = typer.Typer(
    name="plainview",
    help="Body-worn video that anyone can check: footage in, a package out that proves itself.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

RecoveryFile = Annotated[
    Path | None,
    typer.Option("--recovery-key", help="On first use: where to write the recovery key.", show_default=False),
]


def run_command() -> None:
    """Run the command that the arguments name."""
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", SETTINGS_MODULE)
    django.setup()
    app(prog_name="plainview")


@app.command()
def init(
    data: Data = None,
    recovery_key: RecoveryFile = None,
    log_name: Annotated[
        str | None,
        typer.Option(
            help="What the custody log is called for ever: a host name you own.", show_default=False
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Prepare a data directory: database, keys, custody log. Every other command does this too if need be."""
    from plainview.cli.prepare import run

    run(_data(data), recovery_file=recovery_key, log_name=log_name, as_json=as_json)


@app.command()
def ingest(
    paths: Annotated[list[Path], typer.Argument(help="Files, and folders with everything in them.")],
    data: Data = None,
    recovery_key: RecoveryFile = None,
    as_json: Json = False,
) -> None:
    """Receive files. A file is `received` only when a durable, signed checkpoint covers it."""
    from plainview.cli.ingest import run

    raise typer.Exit(run(_data(data), paths, recovery_file=recovery_key, as_json=as_json))


@app.command("import")
def import_folder(
    folder: Annotated[
        Path, typer.Argument(help="The folder, or the mounted card, with everything below it.")
    ],
    pattern: Annotated[
        Path,
        typer.Option(
            help="What the folder looks like: a file, or the name of a pattern in the data directory's imports folder."
        ),
    ],
    preview: Annotated[
        bool, typer.Option("--preview", help="Only say what would be made; change nothing.")
    ] = False,
    leave_others: Annotated[
        bool, typer.Option("--leave-others", help="Leave files that the pattern says nothing of.")
    ] = False,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Import footage of another maker with what came along with it: parts, lists, tracks, subtitles, audit trails."""
    from plainview.cli.imports import run

    raise typer.Exit(
        run(
            _data(data),
            folder,
            pattern=pattern,
            is_preview=preview,
            keeps_others=not leave_others,
            as_json=as_json,
        )
    )


@app.command()
def serve(
    data: Data = None,
    host: Annotated[str, typer.Option(help="The address to listen at.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="The port to listen at; 0 is any that is free.")] = 8080,
    workers: Annotated[
        int | None,
        typer.Option(
            help="How many files are worked on at once. Default: PLAINVIEW_WORKERS, or one less than there are cores.",
            show_default=False,
        ),
    ] = None,
    certificate: Annotated[
        Path | None, typer.Option(help="Serve HTTPS with this certificate, a PEM file.", show_default=False)
    ] = None,
    certificate_key: Annotated[
        Path | None, typer.Option(help="Its private key, a PEM file (PKCS #8).", show_default=False)
    ] = None,
    behind_proxy: Annotated[
        bool,
        typer.Option("--behind-proxy", help="A proxy in front ends TLS and sets X-Forwarded-Proto."),
    ] = False,
    recovery_key: RecoveryFile = None,
) -> None:
    """Serve the pages and do the work behind them, until stopped. Other commands may be used meanwhile."""
    from plainview.cli.serve import Listening, run

    listening = Listening(host, port, certificate, certificate_key, behind_proxy)
    run(_data(data), listening, workers=workers, recovery_file=recovery_key)


@app.command()
def worker(data: Data = None) -> None:
    """Add one worker to the server that runs on the data directory, until stopped."""
    from plainview.cli.parts import run_joined_worker
    from plainview.cli.talk import say

    run_joined_worker(_data(data), say=say)


@app.command(hidden=True)
def part(
    name: Annotated[str, typer.Argument(help="web, sequencer or worker-N.")],
    data: Data = None,
    host: Annotated[str, typer.Option()] = "127.0.0.1",
    port: Annotated[int, typer.Option()] = 8080,
    certificate: Annotated[Path | None, typer.Option()] = None,
    certificate_key: Annotated[Path | None, typer.Option()] = None,
) -> None:
    """Be one process of a server; started by plainview serve."""
    from plainview.cli.parts import WebAddress, run

    run(_data(data), name, web=WebAddress(host, port, certificate, certificate_key))


@app.command("list")
def list_recordings(data: Data = None, as_json: Json = False) -> None:
    """List the recordings, newest received first."""
    from plainview.cli.listing import run

    run(_data(data), as_json=as_json)


@app.command()
def export(
    recordings: Annotated[list[str], typer.Argument(help="Identifiers, such as R-26-00004217-5.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The folder to make; it must not exist.")],
    recipient: Annotated[
        str | None, typer.Option("--for", help="The named recipient.", show_default=False)
    ] = None,
    purpose: Annotated[str | None, typer.Option(help="What it is for.", show_default=False)] = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Make a package for one recipient: originals, proofs, chain of custody, and the checker."""
    from plainview.cli.export import run

    run(_data(data), recordings, output=output, recipient=recipient, purpose=purpose, as_json=as_json)


@app.command(
    add_help_option=False, context_settings={"ignore_unknown_options": True, "allow_extra_args": True}
)
def verify(context: typer.Context) -> None:
    """Check a package or a receipt; the same checker as the verify.py in every package."""
    from plainview.cli.verify import run

    raise typer.Exit(run(context.args))


@app.command(
    add_help_option=False, context_settings={"ignore_unknown_options": True, "allow_extra_args": True}
)
def camera(context: typer.Context) -> None:
    """Make this machine a camera, and run it."""
    from plainview.cli.camera import run

    raise typer.Exit(run(context.args))


@app.command(
    add_help_option=False, context_settings={"ignore_unknown_options": True, "allow_extra_args": True}
)
def dock(context: typer.Context) -> None:
    """Take in what cameras recorded, and erase what a checked receipt covers."""
    from plainview.cli.dock import run

    raise typer.Exit(run(context.args))


@app.command()
def keys(
    data: Data = None,
    rotate: Annotated[
        bool, typer.Option("--rotate", help="Replace the master key and wrap every key anew.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Show the public key that packages from here are checked with; or rotate the master key."""
    from plainview.cli.keys import run

    run(_data(data), rotate=rotate, as_json=as_json)


@app.command()
def demo(
    folder: Annotated[Path, typer.Option(help="Where it lives; used again the next time.")] = Path("demo"),
    port: Annotated[
        int | None, typer.Option(help="Default: 8080, or any that is free.", show_default=False)
    ] = None,
) -> None:
    """Serve the sample department and its night of 14 March; made on first use."""
    from plainview.cli.demo import run

    raise typer.Exit(run(folder, port=port))


@app.command()
def prove(
    file: Annotated[
        Path | None, typer.Argument(help="Footage of your own; by default a short scene is rendered.")
    ] = None,
    folder: Annotated[Path, typer.Option(help="Where to work; made anew each time.")] = Path("proof"),
) -> None:
    """Show the whole way of one file: footage in, a package out, checked, and one altered byte named."""
    from plainview.cli.proof import run

    raise typer.Exit(run(file, root=folder))


@app.command()
def backup(
    folder: Annotated[Path, typer.Argument(help="A new folder, or an earlier backup to bring up to date.")],
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Copy database, logs and ciphertext to a folder, and beside it the sealed keys (FOLDER.keys)."""
    from plainview.cli.backup import run

    raise typer.Exit(run(_data(data), folder, as_json=as_json))


@app.command()
def restore(
    folder: Annotated[
        Path | None,
        typer.Argument(
            metavar="[BACKUP]",
            help="The backup. Without one, the database that is there goes on under a new log.",
            show_default=False,
        ),
    ] = None,
    data: Data = None,
    recovery_key: Annotated[
        Path | None,
        typer.Option("--recovery-key", help="On a new machine: the recovery key.", show_default=False),
    ] = None,
    escrow: Annotated[
        Path | None,
        typer.Option(
            "--keys", help="On a new machine: the sealed keys. Default: BACKUP.keys.", show_default=False
        ),
    ] = None,
    new_epoch: Annotated[
        str | None,
        typer.Option(help="Why a new custody log must begin; it is kept for ever.", show_default=False),
    ] = None,
    as_json: Json = False,
) -> None:
    """Bring an installation back: on a new machine, or here where only the database is lost."""
    from plainview.cli.restore import run

    raise typer.Exit(
        run(
            _data(data),
            folder,
            recovery_file=recovery_key,
            escrow_file=escrow,
            reason=new_epoch,
            as_json=as_json,
        )
    )


@app.command()
def fsck(
    data: Data = None,
    deep: Annotated[
        bool, typer.Option("--deep", help="Decrypt everything and compare it with what was received.")
    ] = False,
    no_keys: Annotated[
        bool, typer.Option("--no-keys", help="Leave the key store closed; compare ciphertext alone.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Check everything: objects, keys, logs, rows, and that each says what the others say. Exit 1: something is wrong."""
    from plainview.cli.fsck import run

    raise typer.Exit(run(_data(data), is_deep=deep, with_keys=not no_keys, as_json=as_json))


models_app = typer.Typer(
    name="models",
    help="Speech models: what makes a transcript more than a search hint. No database is needed.",
    no_args_is_help=True,
)
app.add_typer(models_app)


@models_app.command("install")
def install_model(
    model: Annotated[str, typer.Option(help="Which one; with --from, what to call it.")] = "small",
    source: Annotated[
        Path | None,
        typer.Option(
            "--from",
            help="A folder with a Whisper model for faster-whisper. Without it the network is asked.",
            show_default=False,
        ),
    ] = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Install a speech model; transcripts made from then on use the largest one installed."""
    from plainview.cli.models import install

    install(_data(data), model=model, source=source, as_json=as_json)


@models_app.command("list")
def list_models(data: Data = None, as_json: Json = False) -> None:
    """List the speech models and check every byte of them. Exit 1: one is not what was installed."""
    from plainview.cli.models import show

    raise typer.Exit(show(_data(data), as_json=as_json))


users_app = typer.Typer(
    name="users",
    help="People who log in: add them, give and end roles, set passwords. Each is an act in the custody log.",
    no_args_is_help=True,
)
app.add_typer(users_app)

Username = Annotated[str, typer.Argument(help="What they type to sign in: small letters, digits, . _ -")]
UnitCode = Annotated[
    str | None,
    typer.Option(
        "--unit",
        help="The code of the unit whose recordings the role reaches. Default: all.",
        show_default=False,
    ),
]
Prompt = Annotated[
    bool,
    typer.Option("--prompt", help="Ask for the password here instead of making one and showing it once."),
]


@users_app.command("add")
def add_user(
    username: Username,
    name: Annotated[str, typer.Option(help="Their name in full.")],
    role: Annotated[
        list[str] | None,
        typer.Option("--role", help="A role they hold; may be given again.", show_default=False),
    ] = None,
    unit: UnitCode = None,
    badge: Annotated[
        str | None,
        typer.Option(
            help="Their badge number: they see what they wore. Added to the roster where it is new.",
            show_default=False,
        ),
    ] = None,
    prompt: Prompt = False,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Add somebody who logs in. Without --prompt a password is made and shown once."""
    from plainview.cli.people import NewPerson, add

    person = NewPerson(username, name, tuple(role or ()), unit, badge)
    add(_data(data), person, is_prompted=prompt, as_json=as_json)


@users_app.command("list")
def list_users(data: Data = None, as_json: Json = False) -> None:
    """List everybody who logs in, with the roles they hold now."""
    from plainview.cli.people import show

    show(_data(data), as_json=as_json)


@users_app.command("role")
def set_role(
    username: Username,
    role: Annotated[str, typer.Argument(help="The role.")],
    unit: UnitCode = None,
    end: Annotated[bool, typer.Option("--end", help="End it instead of giving it.")] = False,
    data: Data = None,
) -> None:
    """Give somebody a role from now on, or end one."""
    from plainview.cli.people import set_role as set_it

    set_it(_data(data), username, role=role, unit=unit, is_ended=end)


@users_app.command("password")
def set_password(
    username: Username,
    prompt: Prompt = False,
    without_factors: Annotated[
        bool,
        typer.Option(
            "--without-factors", help="Remove their second factors too: for somebody who lost theirs."
        ),
    ] = False,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Set somebody's password anew; wherever they are signed in they have to sign in again."""
    from plainview.cli.people import set_password as set_it

    set_it(_data(data), username, is_prompted=prompt, without_factors=without_factors, as_json=as_json)


@users_app.command("close")
def close_user(
    username: Username,
    again: Annotated[bool, typer.Option("--reopen", help="Let them sign in again.")] = False,
    data: Data = None,
) -> None:
    """Keep somebody from signing in, and sign them out at once; what they did stays theirs."""
    from plainview.cli.people import set_open

    set_open(_data(data), username, is_open=again)


@users_app.command("unit")
def add_unit(
    code: Annotated[str, typer.Argument(help="What it is called in short, such as P12.")],
    name: Annotated[str, typer.Option(help="Its name in full.")],
    data: Data = None,
) -> None:
    """Add a unit, so that roles can be given for it."""
    from plainview.cli.people import add_unit as add_it

    add_it(_data(data), code, name=name)


destinations_app = typer.Typer(
    name="destinations",
    help="Systems of other makers that hand in what their cameras recorded: AXIS body worn.",
    no_args_is_help=True,
)
app.add_typer(destinations_app)


@destinations_app.command("make")
def make_destination(
    name: Annotated[str, typer.Argument(help="What the department calls it, such as 'North station'.")],
    address: Annotated[
        list[str],
        typer.Option(help="Where the system reaches this server: https://NAME. May be given again."),
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", help="The connection file to write; it must not exist.")
    ],
    certificate: Annotated[
        list[Path] | None,
        typer.Option(
            help="A PEM file with the certificate of the server, or of whoever issued it.",
            show_default=False,
        ),
    ] = None,
    encrypted: Annotated[
        bool,
        typer.Option("--encrypted", help="Have footage encrypted on its way to this vault. For ever."),
    ] = False,
    container: Annotated[str, typer.Option(help="What clips come as: mp4 or mkv.")] = "mp4",
    category: Annotated[
        list[str] | None,
        typer.Option(help="A category to choose on a camera; may be given again.", show_default=False),
    ] = None,
    give_up_after: Annotated[
        int,
        typer.Option(help="Hours without news after which a recording is taken in as far as it came."),
    ] = 72,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Connect a system: write the file that it is configured with, which alone holds its password."""
    from plainview.cli.destinations import Files, make
    from plainview.pipeline.destinations import Connection

    connection = Connection(
        name=name,
        addresses=tuple(address),
        is_encrypted=encrypted,
        container_type=container,
        categories=tuple(category or ()),
        give_up_after_h=give_up_after,
    )
    make(_data(data), connection, Files(tuple(certificate or ()), output), as_json=as_json)


@destinations_app.command("list")
def list_destinations(data: Data = None, as_json: Json = False) -> None:
    """List the connected systems, the closed ones too."""
    from plainview.cli.destinations import show

    show(_data(data), as_json=as_json)


@destinations_app.command("close")
def close_destination(
    name: Annotated[str, typer.Argument(help="What the department calls it.")], data: Data = None
) -> None:
    """Let a connected system hand in nothing more; what it handed in stays."""
    from plainview.cli.destinations import close

    close(_data(data), name)


app.add_typer(cameras_app)
app.add_typer(docks_app)
