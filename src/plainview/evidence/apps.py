"""Django's name for this app."""

from django.apps import AppConfig


class EvidenceConfig(AppConfig):
    """Recordings, originals, parts, devices and wearers."""

    name = "plainview.evidence"
    label = "evidence"
    default_auto_field = "django.db.models.BigAutoField"
