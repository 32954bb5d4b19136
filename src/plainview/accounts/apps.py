"""Django's name for this app."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    """Users, roles, units and officers."""

    name = "plainview.accounts"
    label = "accounts"
    default_auto_field = "django.db.models.BigAutoField"
