"""The addresses that docks ask; mounted at /api/dock/v1/. Each view says who may ask (api.guard); a test walks them."""

from __future__ import annotations

from django.urls import path

from plainview.api import docks, offloads

urlpatterns = [
    path("hello", docks.hello, name="dock_hello"),
    path("cameras", docks.cameras, name="dock_cameras"),
    path("dockings", docks.dockings, name="dock_dockings"),
    path("dockings/<int:key>", docks.docking, name="dock_docking"),
    path("checkouts", docks.checkouts, name="dock_checkouts"),
    path("offloads", offloads.offloads, name="dock_offloads"),
    path("offloads/<str:name>", offloads.offload, name="dock_offload"),
]
