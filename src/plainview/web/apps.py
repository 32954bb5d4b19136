"""Django's name for the pages."""

from django.apps import AppConfig


class WebConfig(AppConfig):
    """Pages, and what they are made with."""

    name = "plainview.web"
    label = "web"
