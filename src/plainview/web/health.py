"""Say whether this server is up, and whether it can work."""

from __future__ import annotations

import shutil
import time
from datetime import timedelta
from functools import cache
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache

from plainview.custody.queries import waits_since
from plainview.pipeline.standing import is_queue_stalled
from plainview.vault.errors import VaultError
from plainview.vault.log_errors import LogError
from plainview.web.guard import public
from plainview.web.here import installation

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from plainview.web.viewer import Request

# Below this an upload of an ordinary recording may not fit.
FREE_BYTES = 1 << 30
# The sequencer publishes about once a second.
STALE_AFTER = timedelta(seconds=30)
ANSWER_KEPT_S = 1.0


@public
@never_cache
def healthz(_request: Request) -> HttpResponse:
    """Answer that this process is up; nothing else is asked."""
    return HttpResponse("up\n", content_type="text/plain; charset=utf-8")


@public
@never_cache
def readyz(request: Request) -> HttpResponse:
    """Answer what works and what does not, by name; 503 where something does not.

    Anybody may ask, so it says nothing else; and it asks the database at most about once a second.
    """
    checks = _checks(int(time.monotonic() / ANSWER_KEPT_S), now=request.now)
    is_ready = all(checks.values())
    told = {"ready": is_ready, "checks": {name: "ok" if good else "failing" for name, good in checks.items()}}
    return JsonResponse(told, status=200 if is_ready else 503)


_kept: dict[int, dict[str, bool]] = {}


def _checks(moment: int, *, now: datetime) -> dict[str, bool]:
    """Return the answers of this moment, asked anew where nobody has asked yet."""
    found = _kept.get(moment)
    if found is None:
        found = {name: _holds(check, now) for name, check in CHECKS.items()}
        _kept.clear()
        _kept[moment] = found
    return found


def _holds(check: Callable[[datetime], bool], now: datetime) -> bool:
    """Ask one thing; what cannot be asked does not hold."""
    try:
        return check(now)
    except (DatabaseError, LogError, VaultError, OSError):
        return False


def _database(_now: datetime) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        return bool(cursor.fetchone() == (1,))


def _migrations(_now: datetime) -> bool:
    return _migrated() or _ask_again()


@cache
def _migrated() -> bool:
    """Say whether the tables are as this version needs them; what a process found so once stays so."""
    executor = MigrationExecutor(connection)
    return not executor.migration_plan(executor.loader.graph.leaf_nodes())


def _ask_again() -> bool:
    _migrated.cache_clear()
    return False


def _log(now: datetime) -> bool:
    """Say whether everything that was done a while ago is on the published log."""
    published = installation().signer.log.published()
    waits = waits_since(size=published[0].size if published else 0)
    return waits is None or now - waits < STALE_AFTER


def _disk(_now: datetime) -> bool:
    return shutil.disk_usage(settings.PLAINVIEW_DATA).free >= FREE_BYTES


def _queue(now: datetime) -> bool:
    return not is_queue_stalled(now=now)


CHECKS: dict[str, Callable[[Any], bool]] = {
    "database": _database,
    "migrations": _migrations,
    "log": _log,
    "disk": _disk,
    "queue": _queue,
}
