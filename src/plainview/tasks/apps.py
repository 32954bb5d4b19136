"""Django's name for this app."""

from django.apps import AppConfig


class TasksConfig(AppConfig):
    """Whatever is asked of a person."""

    name = "plainview.tasks"
    label = "tasks"
    default_auto_field = "django.db.models.BigAutoField"
