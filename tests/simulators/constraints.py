"""Which constraints a Django app's tables have, so that a test can ask whether each one is tested."""

from django.apps import apps


def constraints_of(app_label):
    """Return the names of the constraints of an app's models, and of their unique columns as PostgreSQL names them."""
    names = set()
    for model in apps.get_app_config(app_label).get_models():
        names |= {constraint.name for constraint in model._meta.constraints}
        names |= {
            f"{model._meta.db_table}_{field.column}_key"
            for field in model._meta.local_fields
            if field.unique and not field.primary_key
        }
    return names
