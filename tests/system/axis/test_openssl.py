"""What OpenSSL encrypts by the commands of the specification's own script is what we decrypt."""

import base64
import io
import json
import os
import shutil
import subprocess

import pytest

from plainview.vault.content_keys import (
    ContentReader,
    make_content_key,
    open_content_key,
    parse_key_file,
    unwrap_key,
)
from plainview.vault.keys import create_key_store

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="needs openssl to encrypt")
FOOTAGE = bytes(range(256)) * 9000 + b"tail"


def openssl(*words, given):
    return subprocess.run(["openssl", *map(str, words)], input=given, check=True, capture_output=True).stdout


def test_footage_encrypted_by_openssl_is_decrypted(tmp_path):
    keys = create_key_store(tmp_path / "keys", recovery_public=bytes(32))
    made = make_content_key(keys)
    public = tmp_path / "public.pem"
    public.write_text(made.public_pem)
    key, iv = os.urandom(32), os.urandom(16)
    # As `openssl rsautl -oaep`, which the script unwraps with: SHA-1 is its one digest.
    wrapped = openssl(
        "pkeyutl", "-encrypt", "-pubin", "-inkey", public, "-pkeyopt", "rsa_padding_mode:oaep", given=key
    )
    sealed = openssl("enc", "-aes-256-cbc", "-K", key.hex(), "-iv", iv.hex(), given=FOOTAGE)
    said = {
        "EncryptedKey": base64.b64encode(wrapped).decode(),
        "ContentEncryptionIV": base64.b64encode(iv).decode(),
        "PublicKeyId": "plainview-1",
    }
    file = parse_key_file(json.dumps(said, indent=2).encode())
    opened = unwrap_key(open_content_key(keys, made), file)
    keys.close()
    assert io.BufferedReader(ContentReader(io.BytesIO(sealed), key=opened, iv=file.iv)).read() == FOOTAGE
