"""The pages' addresses and those that connected systems ask, as the server has them together."""

from django.urls import include, path

urlpatterns = [path("", include("plainview.api.swift_urls")), path("", include("plainview.web.urls"))]
