"""The processes of a server: the web, a worker, the sequencer. plainview serve starts them; see service.supervise."""

from __future__ import annotations

import os
import signal
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any

from django.conf import settings

from plainview.cli.database import connected, use_database
from plainview.cli.logs import get_log, write_logs_to
from plainview.cli.start import joined_database, logged
from plainview.pipeline.installation import open_installation
from plainview.pipeline.sequencer import keep_publishing
from plainview.service import linux
from plainview.service.attach import cluster_of, find_serving, joined
from plainview.service.errors import NotServingError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from plainview.service.cluster import Cluster

APPLICATION = "plainview.project.wsgi"
# A thread waits for the disk or for a client most of its life. Connections to the database are fewer, and shared.
WEB_THREADS = 32
WEB_CONNECTIONS = 16
WEB_STOP_LIMIT_S = 5


@dataclass(frozen=True)
class WebAddress:
    """Where the web process listens."""

    host: str
    port: int
    certificate: Path | None
    certificate_key: Path | None


def run(data: Path, name: str, *, web: WebAddress) -> None:
    """Be one part of the server that runs on a data directory, until asked to stop.

    Args:
        data: the data directory.
        name: web, sequencer, or worker-N.
        web: for the web alone.
    """
    if name == "web":
        _run_web(data, web)
    elif name == "sequencer":
        _run_sequencer(data)
    else:
        _run_worker(data, name)


def run_joined_worker(data: Path, *, say: Callable[[str], None]) -> None:
    """Be one more worker beside those of the server, until that ends or somebody asks to stop."""
    name = f"worker-{os.getpid()}"
    with joined(data) as serving:
        if serving is None:
            raise NotServingError(data)
        data = data.resolve()
        with joined_database(data, serving, command="plainview worker", say=say) as cluster:
            write_logs_to(data / "service" / f"{name}.log", with_libraries=True)
            say(f"Working for the server at {serving.address}. Ctrl-C ends it.")
            _work(data, cluster, name)


@contextmanager
def _part(data: Path, name: str) -> Iterator[Cluster]:
    with logged(data, f"plainview {name}", file=f"{name}.log", with_libraries=True):
        yield _cluster(data)


def _cluster(data: Path) -> Cluster:
    """Return the database of the server that started us, which cannot have gone: we would have gone with it."""
    serving = find_serving(data)
    if serving is None:
        raise NotServingError(data)
    url, owner_url = settings.PLAINVIEW_DATABASE_URL, settings.PLAINVIEW_DATABASE_OWNER_URL
    return cluster_of(data, serving, url=url, owner_url=owner_url)


# --- the web


def _run_web(data: Path, web: WebAddress) -> None:
    from granian import Granian
    from granian.constants import Interfaces
    from granian.log import LogLevels

    server = Granian(
        f"{APPLICATION}:application",
        address=web.host,
        port=web.port,
        interface=Interfaces.WSGI,
        workers=1,
        blocking_threads=WEB_THREADS,
        websockets=False,
        log_level=LogLevels.error,
        workers_kill_timeout=WEB_STOP_LIMIT_S,
        ssl_cert=web.certificate,
        ssl_key=web.certificate_key,
    )
    # Its worker is not started again by it but with it, by us: one place that knows how often is too often.
    server.serve(target_loader=partial(_load_application, data, os.getpid()), wrap_loader=False)


def _load_application(data: Path, parent_pid: int) -> Any:
    """Make the process that answers requests ready: it dies with its parent, logs, and knows the database.

    Nothing was opened before this process began: a connection must not be shared over a fork.
    """
    linux.die_with_parent(signal.SIGKILL, parent_pid=parent_pid)
    write_logs_to(data / "service" / "web.log", with_libraries=True)
    use_database("default", _cluster(data), "app", pool_size=WEB_CONNECTIONS)
    get_log().info("answering requests", pid=os.getpid())
    return import_module(APPLICATION).application


# --- the sequencer


def _run_sequencer(data: Path) -> None:
    log = get_log()
    over = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda _number, _frame: over.set())
    with _part(data, "sequencer") as cluster, connected(cluster):
        installation = open_installation(data, zone=settings.PLAINVIEW_ZONE)
        keep_publishing(
            installation.signer,
            is_over=over.wait,
            on_published=lambda size: log.info("published", size=size),
            on_trouble=lambda error: log.error("not published", error=str(error)),
        )


# --- workers


def _run_worker(data: Path, name: str) -> None:
    with _part(data, name) as cluster, connected(cluster):
        _work(data, cluster, name)


def _work(data: Path, cluster: Cluster, name: str) -> None:
    run_worker = import_module("plainview.pipeline.worker").run_worker
    run_worker(
        data=data,
        cluster=cluster,
        name=name,
        zone=settings.PLAINVIEW_ZONE,
        overdue_after=settings.PLAINVIEW_OVERDUE_AFTER,
    )
