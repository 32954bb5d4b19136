"""Every address. Each view says what it asks leave for (web.guard); a test walks this list."""

from __future__ import annotations

from django.urls import include, path, re_path

from plainview.web import (
    camera,
    camera_settings,
    cameras,
    enter,
    health,
    imports,
    media,
    recording,
    recording_capture,
    recording_export,
    recordings,
    to_do,
    uploads,
)

IDENTIFIER = r"(?P<identifier>[Rr]-[0-9A-Za-z-]{1,24})"

urlpatterns = [
    path("", to_do.home, name="home"),
    path("to-do", to_do.to_do, name="to_do"),
    path("to-do/<int:key>", to_do.answer, name="task_answer"),
    path("recordings", recordings.recordings, name="recordings"),
    path("recordings/import", imports.imports, name="recordings_import"),
    re_path(r"^recordings/import/(?P<name>[0-9a-f]{16})$", imports.import_run, name="recordings_import_run"),
    path("quarantine", recordings.quarantine, name="quarantine"),
    re_path(rf"^{IDENTIFIER}$", recordings.go_to, name="go_to"),
    re_path(rf"^recordings/{IDENTIFIER}$", recording.watch, name="recording"),
    re_path(rf"^recordings/{IDENTIFIER}/facts$", recording.facts, name="recording_facts"),
    re_path(rf"^recordings/{IDENTIFIER}/custody$", recording.custody, name="recording_custody"),
    re_path(rf"^recordings/{IDENTIFIER}/export$", recording_export.export, name="recording_export"),
    re_path(
        rf"^recordings/{IDENTIFIER}/export/(?P<name>[0-9a-f]{{32}})\.zip$",
        recording_export.package,
        name="recording_package",
    ),
    re_path(rf"^recordings/{IDENTIFIER}/receipt\.json$", recording.receipt, name="recording_receipt"),
    re_path(
        rf"^recordings/{IDENTIFIER}/attachments/(?P<key>[0-9]{{1,18}})$",
        recording_capture.attachment,
        name="recording_attachment",
    ),
    re_path(rf"^recordings/{IDENTIFIER}/progress$", recording.progress, name="recording_progress"),
    re_path(
        rf"^recordings/{IDENTIFIER}/transcript\.json$", recording.transcript, name="recording_transcript"
    ),
    re_path(rf"^recordings/{IDENTIFIER}/video$", media.video, name="recording_video"),
    re_path(rf"^recordings/{IDENTIFIER}/storyboard\.jpg$", media.storyboard, name="recording_storyboard"),
    re_path(rf"^recordings/{IDENTIFIER}/poster\.jpg$", media.poster, name="recording_poster"),
    re_path(rf"^recordings/{IDENTIFIER}/waveform\.json$", media.waveform, name="recording_waveform"),
    path("department/cameras", cameras.cameras, name="cameras"),
    path("department/cameras/settings", camera_settings.camera_settings, name="camera_settings"),
    re_path(r"^department/cameras/(?P<pseudonym>[0-9a-f]{16})$", camera.camera, name="camera"),
    path("uploads", uploads.uploads, name="uploads"),
    path("uploads/<str:name>", uploads.upload, name="upload"),
    path("enter", enter.enter, name="enter"),
    path("enter/making", enter.making, name="enter_making"),
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("account/", include("plainview.web.sign_in")),
]

handler500 = "plainview.web.errors.failed"
