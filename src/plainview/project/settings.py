"""Every setting, and the one place where the environment is read.

Command-line options win over these. See docs/settings.md.
"""

from __future__ import annotations

import os
import secrets
from datetime import timedelta
from pathlib import Path

import font_source_sans_pro
from platformdirs import user_data_dir

from plainview.accounts.rules import COOL_OFF, LIMITS, check_role
from plainview.cli.refusals import SettingError
from plainview.evidence.camera_rules import OVERDUE_AFTER
from plainview.project.static_files import immutable_prefix

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

# How many files are worked on at once; by default one less than there are cores.
PLAINVIEW_WORKERS = os.environ.get("PLAINVIEW_WORKERS") or None
# The folder below which people may import from a page; none where nothing is set.
PLAINVIEW_IMPORTS = Path(os.environ["PLAINVIEW_IMPORTS"]) if os.environ.get("PLAINVIEW_IMPORTS") else None
# The names a server that others reach goes by, with commas between.
PLAINVIEW_HOSTS = [name.strip() for name in os.environ.get("PLAINVIEW_HOSTS", "").split(",") if name.strip()]
# Set by whoever serves, for the processes that do it: whether browsers come over HTTPS, and through a proxy.
PLAINVIEW_HTTPS = bool(os.environ.get("PLAINVIEW_HTTPS"))
PLAINVIEW_BEHIND_PROXY = bool(os.environ.get("PLAINVIEW_BEHIND_PROXY"))


def _minutes(name: str, *, default: int) -> timedelta:
    """Return a length of time that the environment gives in whole minutes."""
    text = os.environ.get(name) or str(default)
    if not text.isdecimal() or int(text) == 0:
        raise SettingError(name, text, expected=f"whole minutes, such as {default}")
    return timedelta(minutes=int(text))


def _hours(name: str, *, default: timedelta) -> timedelta:
    """Return a length of time that the environment gives in whole hours."""
    text = os.environ.get(name) or str(default // timedelta(hours=1))
    if not text.isdecimal() or int(text) == 0:
        raise SettingError(name, text, expected=f"whole hours, such as {default // timedelta(hours=1)}")
    return timedelta(hours=int(text))


def _roles(name: str) -> frozenset[str]:
    """Return roles that the environment names with commas between; one that is no role would protect nobody."""
    roles = frozenset(role.strip() for role in os.environ.get(name, "").split(",") if role.strip())
    for role in roles:
        check_role(role)
    return roles


# How long somebody stays signed in: a shift whatever they do, and half an hour without asking for anything.
PLAINVIEW_SESSION_LENGTH = _minutes("PLAINVIEW_SESSION_MINUTES", default=12 * 60)
PLAINVIEW_IDLE_LENGTH = _minutes("PLAINVIEW_IDLE_MINUTES", default=30)
# Whose holders must have a second factor to get further than their own account.
PLAINVIEW_SECOND_FACTOR_ROLES: frozenset[str] = _roles("PLAINVIEW_SECOND_FACTOR_ROLES")


# How long an assigned camera may stay away from every dock before somebody is asked where it is.
PLAINVIEW_OVERDUE_AFTER = _hours("PLAINVIEW_OVERDUE_HOURS", default=OVERDUE_AFTER)


def _secret_key() -> str:
    """Return the key that signs sessions; a command that serves nothing gets one that nobody else has."""
    try:
        return (PLAINVIEW_DATA / "service" / "secret-key").read_text("ascii")
    except OSError:
        return secrets.token_urlsafe(50)


# Made once by whoever serves, and kept in the data directory.
SECRET_KEY = _secret_key()
# True only where the data directory was created as a demo (pipeline.installation.mark_demo).
PLAINVIEW_IS_DEMO = (PLAINVIEW_DATA / "demo").exists()

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.postgres",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "axes",
    "csp",
    "django_htmx",
    "procrastinate.contrib.django",
    "plainview.custody.apps.CustodyConfig",
    "plainview.accounts.apps.AccountsConfig",
    "plainview.tasks.apps.TasksConfig",
    "plainview.evidence.apps.EvidenceConfig",
    "plainview.web.apps.WebConfig",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "allauth.usersessions.middleware.UserSessionsMiddleware",
    "plainview.web.viewer.ViewerMiddleware",
    "axes.middleware.AxesMiddleware",
]
ROOT_URLCONF = "plainview.project.urls"
WSGI_APPLICATION = "plainview.project.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        # Ours first: they replace allauth's.
        "DIRS": [Path(__file__).parents[1] / "web" / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "plainview.web.shell.shell",
            ],
        },
    }
]

# Signing in.
AUTH_USER_MODEL = "accounts.User"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "home"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {
        "NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator",
        "OPTIONS": {"user_attributes": ["username", "name"]},
    },
]
ACCOUNT_ADAPTER = "plainview.web.sign_in.Adapter"
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_PRESERVE_USERNAME_CASING = False
ACCOUNT_LOGOUT_REDIRECT_URL = "home"
# The cookie ends with the browser, the session when the server says so.
ACCOUNT_SESSION_REMEMBER = False
SESSION_COOKIE_AGE = int(PLAINVIEW_SESSION_LENGTH.total_seconds())
MFA_ADAPTER = "plainview.web.sign_in.FactorAdapter"
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
MFA_TOTP_ISSUER = "Plainview"
# A phone's clock may be half a minute off.
MFA_TOTP_TOLERANCE = 1
# One thing counts failed attempts: axes, in the database, for passwords and second factors alike (web.locks).
# allauth's own limits forget by themselves, and answer before axes has counted.
ACCOUNT_RATE_LIMITS = MFA_RATE_LIMITS = False
AXES_HANDLER = "plainview.web.locks.Locks"
AXES_FAILURE_LIMIT = LIMITS.pair
AXES_COOLOFF_TIME = COOL_OFF
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
AXES_RESET_ON_SUCCESS = True
# With allauth's own name for its field, "login", axes would count nothing.
AXES_USERNAME_FORM_FIELD = "username"
AXES_USERNAME_CALLABLE = "plainview.web.locks.name_asked"
AXES_CLIENT_IP_CALLABLE = "plainview.web.locks.network_of"
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_LOCKOUT_CALLABLE = "plainview.web.locks.locked_out"
AXES_SENSITIVE_PARAMETERS = [
    "username",
    "ip_address",
    "login",
    "oldpassword",
    "password1",
    "password2",
    "code",
    "csrfmiddlewaretoken",
]
# The custody log says who signed in; a second list of it would be kept by nobody.
AXES_DISABLE_ACCESS_LOG = True
AXES_VERBOSE = False
# Remembers for a minute which codes were used, for every process that serves.
CACHES = {"default": {"BACKEND": "django.core.cache.backends.db.DatabaseCache", "LOCATION": "accounts_cache"}}

# Pages bring everything with them: nothing is loaded from elsewhere, and nothing runs that is not a file of ours.
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'", "blob:", "data:"],
        "media-src": ["'self'", "blob:"],
        "font-src": ["'self'"],
        "connect-src": ["'self'"],
        "form-action": ["'self'"],
        "base-uri": ["'none'"],
        "frame-ancestors": ["'none'"],
    }
}
X_FRAME_OPTIONS = "DENY"
ALLOWED_HOSTS = ["localhost", "127.0.0.1", "[::1]", *PLAINVIEW_HOSTS]
CSRF_TRUSTED_ORIGINS = [f"https://{name}" for name in PLAINVIEW_HOSTS if PLAINVIEW_HTTPS]
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = PLAINVIEW_HTTPS
# A header that anybody may send is believed only where a proxy is said to set it.
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if PLAINVIEW_BEHIND_PROXY else None
SECURE_REFERRER_POLICY = "same-origin"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_SAMESITE = "Lax"

STATICFILES_DIRS = [("fonts", Path(font_source_sans_pro.__file__).parent / "files")]
# Served as they are, under an address that changes with any of them: kept by browsers for ever, and never written.
STATIC_URL = immutable_prefix(Path(__file__).parents[1] / "web" / "static")
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = False
WHITENOISE_IMMUTABLE_FILE_TEST = "^/static/"
WHITENOISE_ALLOW_ALL_ORIGINS = False

# Jobs are deferred by name in the transaction of the row they serve; only workers import what does them.
PROCRASTINATE_AUTODISCOVER_MODULE_NAME = None

DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
# Filled in when the database is up; "owner" exists only while migrating.
DATABASES: dict[str, dict[str, object]] = {}
USE_TZ = True
USE_I18N = False
TIME_ZONE = "UTC"
