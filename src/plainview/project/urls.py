"""Every address that is answered: pages for people, and what programs ask."""

from __future__ import annotations

from django.urls import include, path

urlpatterns = [
    path("api/dock/v1/", include("plainview.api.urls")),
    path("", include("plainview.api.swift_urls")),
    path("", include("plainview.web.urls")),
]

handler500 = "plainview.web.errors.failed"
