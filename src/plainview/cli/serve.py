"""plainview serve: everything that one machine needs, held together by one process."""

from __future__ import annotations

import http.client
import os
import secrets
import socket
import ssl
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from ipaddress import ip_address
from typing import TYPE_CHECKING

from django.conf import settings

from plainview.cli.logs import get_log
from plainview.cli.refusals import SettingError
from plainview.cli.start import Opened, opened, utc_now
from plainview.cli.talk import answer, say
from plainview.formats.times import format_at
from plainview.pipeline.derived_store import settle_derived
from plainview.pipeline.examine import new_jail
from plainview.pipeline.installation import open_derived
from plainview.pipeline.intake import Intake, settle
from plainview.pipeline.standing import requeue_abandoned_jobs
from plainview.service.attach import Serving, announce, withdraw
from plainview.service.errors import AddressError, PostgresEndedError
from plainview.service.files import write_private_file
from plainview.service.linux import process_start
from plainview.service.postgres import has_ended
from plainview.service.supervise import Part, noted_signals, running_parts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from plainview.service.supervise import Parts

TICK_S = 0.2
UP_LIMIT_S = 90.0
WORKERS_LIMIT = 64
# The web first, so that nobody starts anything new; the sequencer last, so that what was done is published.
STOP_ORDER = {"web": 0, "worker": 1, "sequencer": 2}
STOP_LIMIT_S = {"web": 8.0, "worker": 10.0, "sequencer": 10.0}


@dataclass(frozen=True)
class Listening:
    """Where the server is to be found.

    Attributes:
        host: an address or name of this machine.
        port: of TCP; 0 is any that is free.
        certificate: a PEM file, with its chain; None serves plain HTTP.
        certificate_key: its private key, PEM, PKCS #8.
        is_behind_proxy: whether a proxy in front ends TLS and says so in X-Forwarded-Proto.
    """

    host: str
    port: int
    certificate: Path | None = None
    certificate_key: Path | None = None
    is_behind_proxy: bool = False

    @property
    def scheme(self) -> str:
        """What the address begins with."""
        return "https" if self.certificate else "http"

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine reaches it."""
        with suppress(ValueError):
            return ip_address(self.host).is_loopback
        return self.host == "localhost"

    def address(self, host: str | None = None) -> str:
        """Return what to open in a browser."""
        name = host or self.host
        return f"{self.scheme}://{f'[{name}]' if ':' in name else name}:{self.port}"


def run(data: Path, listening: Listening, *, workers: int | None, recovery_file: Path | None) -> None:
    """Serve until somebody asks to stop, or the database ends."""
    check_listening(listening)
    count = worker_count(workers)
    listening = replace(listening, port=_free_port(listening))
    with opened(
        data,
        command="plainview serve",
        say=say,
        recovery_file=recovery_file,
        may_join=False,
        log_file="serve.log",
    ) as here:
        _settle(here)
        keep_secret_key(here.installation.data)
        web, *others = parts_of(here.installation.data, listening, count)
        with noted_signals() as is_asked, _running(here) as parts, _announced(here, listening):
            parts.start(web)
            if _wait_until_up(listening, parts, is_asked):
                answer(f"Plainview is at {listening.address(_shown_host(listening))}")
                # Only now: they would have taken the web's time to start, and people wait for that.
                for part in others:
                    parts.start(part)
            _tend(here, parts, is_asked)
    say("Stopped.")


def check_listening(listening: Listening) -> None:
    """Refuse what would carry passwords in the clear, or cannot work.

    Raises:
        AddressError: as it says.
    """
    shown = f"{listening.host} port {listening.port}"
    if (listening.certificate is None) != (listening.certificate_key is None):
        raise AddressError(
            shown, "a certificate and its key go together: give --certificate and --certificate-key"
        )
    if listening.certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        try:
            context.load_cert_chain(listening.certificate, listening.certificate_key)
        except ssl.SSLError as error:
            raise AddressError(
                shown, f"the certificate and its key cannot be used ({error.reason}): expected two PEM files"
            ) from error
    if not (listening.is_loopback or listening.certificate or listening.is_behind_proxy):
        raise AddressError(
            shown,
            "other machines reach it, and without a certificate passwords would cross the network in the clear. Give "
            "--certificate and --certificate-key, or --behind-proxy where a proxy in front of it ends TLS",
        )
    if not listening.is_loopback and not settings.PLAINVIEW_HOSTS:
        raise AddressError(
            shown,
            "say by which names it is reached: PLAINVIEW_HOSTS=video.example.org (several: with commas)",
        )


def worker_count(given: int | None) -> int:
    """Return how many workers to run: as told, as set, or one less than there are cores.

    Raises:
        SettingError: not a number that makes sense.
    """
    text = str(given) if given is not None else settings.PLAINVIEW_WORKERS
    if text is None:
        return max(1, len(os.sched_getaffinity(0)) - 1)
    if not text.isdecimal() or int(text) > WORKERS_LIMIT:
        raise SettingError("PLAINVIEW_WORKERS", text, expected=f"a number from 0 to {WORKERS_LIMIT}")
    return int(text)


def keep_secret_key(data: Path) -> None:
    """Make the key that signs sessions, once; losing it signs everybody out."""
    path = data / "service" / "secret-key"
    if not path.exists():
        write_private_file(path, secrets.token_urlsafe(50).encode())


def _free_port(listening: Listening) -> int:
    """Return the port, any that is free where 0 was given.

    Asked before anything is started; and the web server's own way of listening would share a port in silence.
    """
    try:
        family, kind, _, _, address = socket.getaddrinfo(
            listening.host, listening.port, type=socket.SOCK_STREAM
        )[0]
        with socket.socket(family, kind) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
            probe.listen()
            return int(probe.getsockname()[1])
    except OSError as error:
        raise AddressError(
            f"{listening.host} port {listening.port}",
            f"cannot be listened at ({error.strerror}). Another program may be using it: give another --port",
        ) from error


def _settle(here: Opened) -> None:
    """Bring everything to rest after an interruption: we hold the lock, so whoever was working is gone."""
    installation = here.installation
    # Nothing is examined in settling, so the jail is never entered.
    adopted = settle(Intake(installation, new_jail(), here.actor, now=utc_now, monotonic=time.monotonic))
    if adopted:
        say(f"Stored originals that an interruption had left without a record, now in the records: {adopted}")
    settle_derived(open_derived(installation.data))
    requeued = requeue_abandoned_jobs()
    get_log().info("settled", adopted=adopted, requeued=requeued)


@contextmanager
def _announced(here: Opened, listening: Listening) -> Iterator[None]:
    """Let the parts find the database and other commands join, until the end begins."""
    cluster = here.cluster
    serving = Serving(
        pid=os.getpid(),
        started=process_start(os.getpid()),
        started_at=format_at(utc_now()),
        address=listening.address(_shown_host(listening)),
        socket_dir=None if cluster.socket_dir is None else str(cluster.socket_dir),
        port=cluster.port,
    )
    announce(here.installation.data, serving)
    try:
        yield
    finally:
        withdraw(here.installation.data)


@contextmanager
def _running(here: Opened) -> Iterator[Parts]:
    assert here.lock is not None, "whoever serves holds the data directory"
    log = get_log()

    def note(name: str, what: str, remark: str) -> None:
        log.info("part", part=name, what=what, remark=remark)

    with running_parts([], here.lock, on_event=note) as parts:
        yield parts


def parts_of(data: Path, listening: Listening, workers: int) -> list[Part]:
    """Return the processes of a server, the web first."""
    web = ["--host", listening.host, "--port", str(listening.port)]
    if listening.certificate and listening.certificate_key:
        web += ["--certificate", str(listening.certificate.absolute())]
        web += ["--certificate-key", str(listening.certificate_key.absolute())]
    named = [("web", web), ("sequencer", [])] + [(f"worker-{number}", []) for number in range(1, workers + 1)]
    return [_part(data, name, more, _environment(data, listening)) for name, more in named]


def _part(data: Path, name: str, more: list[str], environment: dict[str, str]) -> Part:
    kind = name.partition("-")[0]
    return Part(
        name=name,
        arguments=("part", name, "--data", str(data), *more),
        environment=environment,
        output=data / "service" / f"{name}.out",
        stop_order=STOP_ORDER[kind],
        stop_limit_s=STOP_LIMIT_S[kind],
    )


def _environment(data: Path, listening: Listening) -> dict[str, str]:
    """Return our own environment, with what the parts' settings have to know."""
    hosts = settings.PLAINVIEW_HOSTS or []
    return os.environ | {
        "PLAINVIEW_DATA": str(data),
        "PLAINVIEW_HOSTS": ",".join({**dict.fromkeys(hosts), listening.host: None}),
        "PLAINVIEW_HTTPS": "1" if listening.certificate or listening.is_behind_proxy else "",
        "PLAINVIEW_BEHIND_PROXY": "1" if listening.is_behind_proxy else "",
    }


def _shown_host(listening: Listening) -> str:
    hosts = settings.PLAINVIEW_HOSTS
    return hosts[0] if hosts and not listening.is_loopback else listening.host


def _wait_until_up(listening: Listening, parts: Parts, is_asked: Callable[[], bool]) -> bool:
    """Wait for the first answer; False where somebody asked to stop before."""
    end_s = time.monotonic() + UP_LIMIT_S
    while time.monotonic() < end_s and not is_asked():
        parts.check_up("web")
        if _answers(listening):
            return True
        time.sleep(0.05)
    return False


def _answers(listening: Listening) -> bool:
    """Say whether the web server answers anything at all; its certificate is for the names that browsers use."""
    host = "127.0.0.1" if listening.host in {"0.0.0.0", "::"} else listening.host  # noqa: S104 - asked, not bound
    if listening.certificate:
        context = ssl._create_unverified_context()  # noqa: S323, SLF001 - we ask ourselves
        connection: http.client.HTTPConnection = http.client.HTTPSConnection(
            host, listening.port, timeout=5, context=context
        )
    else:
        connection = http.client.HTTPConnection(host, listening.port, timeout=5)
    try:
        connection.request("GET", "/healthz")
        connection.getresponse().read()
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
    return True


def _tend(here: Opened, parts: Parts, is_asked: Callable[[], bool]) -> None:
    """Keep the parts running until somebody asks to stop.

    Raises:
        PostgresEndedError: the database ended by itself; every part depends on it.
    """
    while not is_asked():
        if has_ended(here.cluster):
            raise PostgresEndedError(log=here.installation.data / "service" / "postgres.log")
        parts.tend()
        time.sleep(TICK_S)
