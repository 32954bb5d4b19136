"""What a package says of the camera that recorded its footage."""

import io
from datetime import UTC, datetime
from hashlib import sha256

import pytest

from plainview.evidence.camera_actions import (
    add_dock,
    admit_camera,
    request_admission,
    revoke_camera,
)
from plainview.evidence.camera_models import Dock
from plainview.evidence.models import Recording
from plainview.evidence.offload_actions import OfferedFile, begin_offload, store_offload
from plainview.evidence.offload_queries import get_offload
from plainview.evidence.queries import known_recording
from plainview.formats.camera_orders import CameraRequest, key_fingerprint
from plainview.formats.package import LEAVES, parse_disclosed_leaf
from plainview.pipeline.export import Export, Order, export
from plainview.pipeline.installation import publish
from plainview.pipeline.offloads import take_in_offload
from plainview.vault.incoming import begin_incoming, open_incoming
from plainview.vault.intake_keys import intake_public
from plainview.verify.package import check_package
from simulators.custody_rows import START, SYSTEM, LogOfRows
from simulators.journals import SigningCamera
from simulators.premises import make_installation, make_intake
from simulators.sealed_files import sealed_footage

NOW = datetime(2026, 3, 15, 15, 0, tzinfo=UTC)


@pytest.fixture
def installation(tmp_path, database):
    (tmp_path / "data").mkdir()
    log = LogOfRows(tmp_path / "data" / "log" / "1", tmp_path / "data" / "checkpoint-store.sqlite")
    log.start(now=START)
    made = make_installation(tmp_path / "data", log)
    add_dock(name="Front desk", token_sha256="0" * 64, actor=SYSTEM, now=START)
    yield made
    made.keys.close()


def ask_to_be_admitted(camera):
    serial = camera.camera.partition("/")[2]
    request = CameraRequest(camera.camera, "Example", "One", serial, camera.public_key, START)
    return request_admission(request=request, actor=SYSTEM, now=START)


def admitted(camera):
    known = ask_to_be_admitted(camera)
    fingerprint = key_fingerprint(camera.public_key)
    admit_camera(key=known.key, fingerprint=fingerprint, actor=SYSTEM, now=START)
    return known


def handed_in(installation, made, device):
    """Do what a dock does with a recording, and return it as the records know it."""
    store, keys = installation.store, installation.keys
    data = sealed_footage(made, seal_to=intake_public(keys))
    name = begin_incoming(store, keys, size_bytes=len(data))
    digest = sha256(data).hexdigest()
    file = OfferedFile("footage", made.stream, "footage.sealed", len(data), digest, {})
    begin_offload(name=name, dock=Dock.objects.get().pk, device=device, file=file, actor=SYSTEM, now=NOW)
    with open_incoming(store, keys, name) as arriving:
        arriving.append(io.BytesIO(data).read, offset_bytes=0)
    store_offload(name=name)
    take_in_offload(make_intake(installation, now=NOW), name)
    return known_recording(Recording.objects.get(identifier=get_offload(name).recording))


def exported(installation, recording, folder):
    publish(installation)
    order = Order([recording], "Office of the Public Defender", None, folder)
    made = export(Export(order, installation, SYSTEM, NOW))
    report = check_package(str(folder), keys=made.keys)
    assert report.verdict.word == "OK"
    acts = [parse_disclosed_leaf(line).leaf.act for line in (folder / LEAVES).read_bytes().split(b"\n")[:-1]]
    return report, [act for act in acts if act.startswith("camera.")]


def test_a_package_names_the_camera_and_proves_that_its_key_was_admitted(installation, tmp_path):
    camera = SigningCamera()
    known = admitted(camera)
    # Of another camera nothing is told.
    admitted(SigningCamera("cam.example.org/SN77", seed=7))
    recording = handed_in(installation, camera.record(fragments=4), known.device)
    report, acts = exported(installation, recording, tmp_path / "package")
    assert acts == ["camera.admitted"]
    assert report.captures[0].sentence == (
        "Recorded by camera cam.example.org/SN42: 4 of 4 fragments as signed, closed"
    )


def test_a_package_tells_that_the_key_was_revoked_since(installation, tmp_path):
    camera = SigningCamera()
    known = admitted(camera)
    recording = handed_in(installation, camera.record(fragments=1), known.device)
    revoke_camera(key=known.key, reason="It was lost.", actor=SYSTEM, now=NOW)
    report, acts = exported(installation, recording, tmp_path / "package")
    assert acts == ["camera.admitted", "camera.revoked"]
    assert report.captures[0].sentence.endswith(", by a key that was revoked 2026-03-15T15:00:00.000Z")


def test_a_key_that_was_never_admitted_is_vouched_for_by_nobody(installation, tmp_path):
    camera = SigningCamera()
    recording = handed_in(installation, camera.record(fragments=1), ask_to_be_admitted(camera).device)
    report, acts = exported(installation, recording, tmp_path / "package")
    assert acts == []
    assert report.captures[0].sentence.endswith(", by a key nobody vouches for")
