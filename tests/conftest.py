"""For every test: Django's apps are loaded, and nothing of this machine's own settings reaches a test."""

import os

import django
from hypothesis import settings

for name in [
    name
    for name in os.environ
    if name.startswith("PLAINVIEW_") and name not in ("PLAINVIEW_MEDIA", "PLAINVIEW_PYTHONS")
]:
    del os.environ[name]
for name in ("DATABASE_URL", "DATABASE_OWNER_URL"):
    os.environ.pop(name, None)
os.environ["DJANGO_SETTINGS_MODULE"] = "plainview.project.settings"
django.setup()

# A busy machine is not a failure; what failed once is printed so that it can be tried again elsewhere.
settings.register_profile("plainview", deadline=None, print_blob=True, max_examples=40)
settings.load_profile("plainview")
