"""A body worn system of Axis, as its public specification has it: what it sends, and sending it with swiftclient.

What it says in metadata follows the specification's tables; the client underneath is python-swiftclient, unmodified.
"""

import base64
import json
import os
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding as rsa_padding
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7

USER, SERIAL = "2f1d8a34-5b0e-4a6e-9d5e-0c7a4f1b2e3d", "ACCC8E012345"
TRIGGERED_AT = datetime(2026, 3, 14, 23, 12, 34, tzinfo=UTC)
BUFFER = timedelta(seconds=30)
OAEP_SHA1 = rsa_padding.OAEP(mgf=rsa_padding.MGF1(hashes.SHA1()), algorithm=hashes.SHA1(), label=None)


@dataclass(frozen=True)
class Sent:
    """One object to be sent: its name, its bytes, its metadata."""

    name: str
    data: bytes = b""
    metadata: dict = field(default_factory=dict)


@dataclass(frozen=True)
class Press:
    """One press of a camera's button: its container, and everything that comes in it but "Complete"."""

    name: str
    metadata: dict
    objects: list


def moment(key, at):
    """Return a time under its two keys, as the specification has it."""
    return {key: str(int(at.timestamp())), f"{key}ISO": at.isoformat().replace("+00:00", "Z")}


def stamp(at):
    return at.strftime("%Y%m%dT%H%M%SZ")


def press(*clips, at=TRIGGERED_AT, user=USER, serial=SERIAL, beside=(), **more):
    """Return a press whose clips follow each other, ten seconds each, the first beginning with the buffer."""
    begins, ends = at - BUFFER, at - BUFFER + timedelta(seconds=10 * max(1, len(clips)))
    name = f"{user}_{serial}_{stamp(at)}"
    metadata = {
        "ContainerName": name,
        "BWCSerialNumber": serial,
        "SCUSerialNumber": "ACCC8E999999",
        "FirmwareVersion": "11.8.61",
        "UserID": user,
        "TriggerOn": "Button",
        "TriggerOff": "Button",
        **moment("TriggerOnTime", at),
        **moment("TriggerOffTime", ends),
        **moment("StartTime", begins),
        **moment("StopTime", ends),
        "TimeZone": "America/New_York",
        "BWCModel": "W110",
        "Status": "Transferring",
    } | more
    objects = [
        clip(data, begins + timedelta(seconds=10 * number), number) for number, data in enumerate(clips)
    ]
    return Press(name, metadata, [*objects, *beside])


def clip(data, at, number=0, suffix="mp4"):
    metadata = {
        **moment("StartTime", at),
        **moment("StopTime", at + timedelta(seconds=10)),
        "ContainerType": suffix,
    }
    return Sent(f"{at:%Y%m%d_%H%M%S}_{1000 + number:X}.{suffix}", data, metadata)


def bookmark(text="", *, at=TRIGGERED_AT, number=1, **metadata):
    said = {"StartTime": at.isoformat().replace("+00:00", "Z"), **metadata}
    return Sent(f"bookmark_{stamp(at)}_{number}", text.encode(), said)


def track(*points, at=TRIGGERED_AT - BUFFER):
    """Return a location file of (seconds, longitude, latitude)."""
    entries = [
        {"LocationWKT": f"POINT({x} {y})", "SecondsFromStart": s, "Timestamp": "2026-03-14T23:12:10Z"}
        for s, x, y in points
    ]
    data = json.dumps({"CoordinateEntries": entries}).encode()
    return Sent(f"{at:%Y%m%d_%H%M%S}_3E8_{SERIAL}_gpstrail.json", data, {"FileType": "json"})


def encrypted(sent, connection, *, public_pem=None):
    """Return an object as a system with encryption sends it, and its key file."""
    pem = public_pem or base64.b64decode(connection["PublicKey"])
    public = serialization.load_pem_public_key(pem)
    key, iv = os.urandom(32), os.urandom(16)
    padder, encryptor = PKCS7(128).padder(), Cipher(algorithms.AES(key), modes.CBC(iv)).encryptor()
    data = encryptor.update(padder.update(sent.data) + padder.finalize()) + encryptor.finalize()
    said = {
        "EncryptedKey": base64.b64encode(public.encrypt(key, OAEP_SHA1)).decode(),
        "ContentEncryptionIV": base64.b64encode(iv).decode(),
        "PublicKeyId": connection.get("PublicKeyId", ""),
    }
    key_file = Sent(
        sent.name.rpartition(".")[0] + ".key",
        json.dumps(said, indent=2).encode(),
        {"StartTime": sent.metadata.get("StartTime", ""), "FileType": "key"},
    )
    return [Sent(sent.name, data, sent.metadata), key_file]


def headers(prefix, metadata):
    """Return metadata as the headers that carry it."""
    return {f"{prefix}{key.title()}": quote(str(value), safe="") for key, value in metadata.items()}


class BodyWornSystem:
    """A system configured with a connection file, which talks through python-swiftclient."""

    def __init__(self, connection_file, *, system_id="0b0e7c52-7f9e-4c35-8b68-aa2f1b8d9a10", **options):
        import swiftclient

        self.connection = json.loads(connection_file)
        self.system_id = system_id
        self.client = swiftclient.Connection(
            authurl=self.connection["AuthenticationTokenURI"][0],
            user=self.connection["BlobAPIUserName"],
            key=self.connection["BlobAPIKey"],
            auth_version="1",
            **{"retries": 0} | options,
        )

    def read(self, name):
        """Return what the server publishes, having compared its MD5 as the system does."""
        import hashlib

        answer, data = self.client.get_object("System", name)
        assert answer["etag"] == hashlib.md5(data).hexdigest(), "object corrupt"
        return json.loads(data)

    def set_up(self):
        """Do what a system does when it is first connected."""
        for name in ("System", "Users", "Devices"):
            self.client.put_container(name)
        self.put("System", Sent(self.system_id, b"", {"ConnectionId": "c-1", "SystemName": "North station"}))
        return self.read("Capabilities.json"), self.read("Categories.json")

    def add_user(self, user, *, name, user_id=""):
        self.put("Users", Sent(user, b"", {"Active": "True", "Name": name, "UserID": user_id}))

    def add_camera(self, serial, *, name="", model="W110"):
        self.put("Devices", Sent(serial, b"", {"Active": "True", "Name": name, "Model": model}))

    def put(self, container, sent, **options):
        return self.client.put_object(
            container, sent.name, sent.data, headers=headers("X-Object-Meta-", sent.metadata), **options
        )

    def begin(self, pressed):
        self.client.put_container(pressed.name, headers=headers("X-Container-Meta-", pressed.metadata))

    def complete(self, pressed):
        self.client.post_container(pressed.name, headers("X-Container-Meta-", {"Status": "Complete"}))

    def hand_in(self, pressed):
        """Hand in one press of a button from its container to "Complete"."""
        self.begin(pressed)
        for sent in pressed.objects:
            self.put(pressed.name, sent)
        self.complete(pressed)
