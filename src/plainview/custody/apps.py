"""Django's name for this app."""

from django.apps import AppConfig


class CustodyConfig(AppConfig):
    """The custody log's rows."""

    name = "plainview.custody"
    label = "custody"
    default_auto_field = "django.db.models.BigAutoField"
