import json
import stat

import pytest
from psycopg.conninfo import conninfo_to_dict

from plainview.service.cluster import ROLE_NAMES, external_database, keep_passwords, own_cluster
from plainview.service.errors import NoSuchLoginError, PasswordsError

PASSWORDS = {name: f"secret'\\ of {name}" for name in ROLE_NAMES.values()}


@pytest.fixture
def cluster(tmp_path):
    return own_cluster(socket_dir=tmp_path, port=5432, passwords=PASSWORDS)


@pytest.mark.parametrize(
    ("role", "user", "dbname"),
    [
        ("superuser", "postgres", "postgres"),
        ("owner", "plainview_owner", "plainview"),
        ("app", "plainview_app", "plainview"),
        ("portal", "plainview_portal", "plainview"),
    ],
)
def test_each_role_has_its_login(cluster, tmp_path, role, user, dbname):
    expected = {
        "host": str(tmp_path),
        "port": "5432",
        "user": user,
        "dbname": dbname,
        "password": PASSWORDS[user],
    }
    assert conninfo_to_dict(cluster.dsn(role)) == expected
    assert cluster.keywords(role) == expected
    assert cluster.role_name(role) == user


def test_another_database_can_be_named(cluster):
    assert conninfo_to_dict(cluster.dsn("owner", dbname="test"))["dbname"] == "test"
    assert cluster.keywords("owner")["dbname"] == "plainview"


def test_showing_a_cluster_shows_no_password(cluster):
    assert "secret" not in repr(cluster)
    assert "secret" not in str(cluster)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://app:s%20ecret@db.example:5433/plainview?sslmode=verify-full",
        "host=db.example port=5433 user=app password='s ecret' dbname=plainview sslmode=verify-full",
    ],
)
def test_an_external_address_is_read(url):
    cluster = external_database(url)
    assert cluster.keywords("app") == {
        "host": "db.example",
        "port": "5433",
        "user": "app",
        "password": "s ecret",
        "dbname": "plainview",
        "sslmode": "verify-full",
    }
    assert (cluster.socket_dir, cluster.port) == (None, None)
    assert "ecret" not in repr(cluster)


def test_an_external_address_may_come_with_its_owner():
    cluster = external_database("postgresql://app@h/d", "postgresql://boss@h/d")
    assert cluster.role_name("owner") == "boss"


@pytest.mark.parametrize("role", ["owner", "superuser", "portal"])
def test_a_role_that_was_not_given_is_named(role):
    with pytest.raises(NoSuchLoginError, match=f"'{role}'; known: app"):
        external_database("postgresql://app@h/d").dsn(role)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "secret",
        "postgresql://app:secret@h/d?nonsense=1",
        "postgresql://app:secret@h",
        "postgresql://h/d?password=secret",
        "user=app password='secret dbname=d",
    ],
)
def test_an_address_that_is_not_one_is_refused_and_not_repeated(url):
    with pytest.raises(PasswordsError, match="DATABASE_URL") as caught:
        external_database(url)
    assert "secret" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None


def test_passwords_are_made_once_and_kept(tmp_path):
    path = tmp_path / "passwords.json"
    made = keep_passwords(path, create=True)
    assert keep_passwords(path, create=True) == made
    assert keep_passwords(path, create=False) == made
    assert set(made) == set(ROLE_NAMES.values())
    assert len(set(made.values())) == len(made)
    assert all(len(password) == 43 for password in made.values())
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_missing_passwords_are_not_made_where_a_database_exists(tmp_path):
    with pytest.raises(PasswordsError, match="is missing"):
        keep_passwords(tmp_path / "passwords.json", create=False)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("text", ["", "[]", "null", '{"postgres": "secret"}', "\udcff"])
def test_a_damaged_password_file_is_refused_and_kept(tmp_path, text):
    path = tmp_path / "passwords.json"
    body = text.encode(errors="surrogateescape")
    path.write_bytes(body)
    with pytest.raises(PasswordsError, match="cannot be read") as caught:
        keep_passwords(path, create=True)
    assert path.read_bytes() == body
    assert "secret" not in str(caught.value)


def test_the_password_file_is_readable_json(tmp_path):
    made = keep_passwords(tmp_path / "p", create=True)
    assert json.loads((tmp_path / "p").read_text()) == made
