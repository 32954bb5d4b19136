"""What a camera says of itself on the local network."""

from zeroconf import service_type_name

from plainview.camera.announce import SERVICE, _reachable
from plainview.dock.find import SERVICE as LOOKED_FOR


def test_the_service_has_a_name_that_is_allowed_and_that_docks_look_for():
    assert service_type_name(SERVICE) == SERVICE == LOOKED_FOR


def test_addresses_that_only_this_machine_reaches_are_left_out_where_there_are_others():
    assert [str(address) for address in _reachable(["127.0.0.1", "192.0.2.7"])] == ["192.0.2.7"]
    assert [str(address) for address in _reachable(["127.0.0.1"])] == ["127.0.0.1"]
