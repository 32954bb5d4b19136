"""Cameras that announce themselves, as the library that listens tells of them."""

import threading
from types import SimpleNamespace

from plainview.dock.find import SERVICE, Addresses, Announced
from plainview.dock.network import NetworkCamera

ADDED, REMOVED = SimpleNamespace(name="Added"), SimpleNamespace(name="Removed")


class Network:
    """What mDNS knows of one camera."""

    def __init__(self, *hosts, port=8077):
        self.info = SimpleNamespace(port=port, parsed_scoped_addresses=lambda: list(hosts))

    def get_service_info(self, *_, **__):
        return self.info


def announced(network):
    made = Announced.__new__(Announced)
    made._lock, made._found, made._network = threading.Lock(), {}, network
    made._changed(network, SERVICE, f"SN42.{SERVICE}", ADDED)
    return made


def test_a_camera_that_announces_itself_is_found_until_it_leaves():
    finder = announced(Network("192.0.2.7"))
    assert list(finder.look()) == ["http://192.0.2.7:8077"]
    finder._changed(None, SERVICE, f"SN42.{SERVICE}", REMOVED)
    assert finder.look() == {}


def test_an_address_of_the_newer_kind_is_written_in_brackets():
    assert list(announced(Network("fe80::1%3")).look()) == ["http://[fe80::1%3]:8077"]


def test_an_announcement_without_an_address_or_port_is_none():
    assert announced(Network()).look() == {}
    assert announced(Network("192.0.2.7", port=None)).look() == {}
    absent = Network()
    absent.info = None
    assert announced(absent).look() == {}


def test_addresses_somebody_gave_are_always_looked_at():
    finder = Addresses(["camera-7:8077"])
    opened = finder.look()["http://camera-7:8077"]()
    assert isinstance(opened, NetworkCamera)
    opened.close()
    finder.close()
