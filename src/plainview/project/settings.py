"""Django settings."""

SECRET_KEY = "not used yet: nothing serves"  # noqa: S105
INSTALLED_APPS: list[str] = []
DATABASES: dict[str, dict[str, str]] = {}
USE_TZ = True
