"""Every setting, and the one place where the environment is read.

Command-line options win over these. See docs/settings.md.
"""

from __future__ import annotations

import os
from pathlib import Path

from platformdirs import user_data_dir

# Where everything this installation keeps lies.
PLAINVIEW_DATA = Path(os.environ.get("PLAINVIEW_DATA") or user_data_dir("plainview", appauthor=False))
# A department's own PostgreSQL: the application's role, and the role that owns the tables and migrates.
PLAINVIEW_DATABASE_URL = os.environ.get("DATABASE_URL") or None
PLAINVIEW_DATABASE_OWNER_URL = os.environ.get("DATABASE_OWNER_URL") or None
# The name a new custody log goes by, for ever: a host name you own, with a path if you like.
PLAINVIEW_LOG_NAME = os.environ.get("PLAINVIEW_LOG_NAME") or None
# The IANA zone of the place, for recordings that do not say; UTC where nothing is set.
PLAINVIEW_ZONE = os.environ.get("PLAINVIEW_ZONE") or "UTC"
# How many whole seconds a command waits for another on the same data directory.
PLAINVIEW_WAIT_S = os.environ.get("PLAINVIEW_WAIT_S") or "60"

SECRET_KEY = "nothing is served yet, so nothing is signed with this"  # noqa: S105 - sessions do not exist yet
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.postgres",
    "plainview.custody.apps.CustodyConfig",
    "plainview.accounts.apps.AccountsConfig",
    "plainview.evidence.apps.EvidenceConfig",
]
AUTH_USER_MODEL = "accounts.User"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
# Filled in when the database is up; "owner" exists only while migrating.
DATABASES: dict[str, dict[str, object]] = {}
USE_TZ = True
TIME_ZONE = "UTC"
