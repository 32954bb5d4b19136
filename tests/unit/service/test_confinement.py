import pytest

from plainview.service.confinement import Record, address_space_bytes, landlock_ruleset


def fail(error):
    raise error


def test_a_step_that_took_hold_is_recorded():
    record = Record()
    assert record.attempt("a step", lambda: None)
    assert (record.enforced, record.not_enforced) == (["a step"], [])


@pytest.mark.parametrize(
    "error", [OSError(1, "no"), NotImplementedError("not here"), AttributeError("prctl")]
)
def test_a_step_that_was_refused_is_recorded_with_its_reason(error):
    record = Record()
    assert not record.attempt("a step", lambda: fail(error))
    assert record.enforced == []
    assert record.not_enforced == [["a step", str(error)]]


def test_a_mistake_of_ours_is_not_taken_for_a_refusal():
    with pytest.raises(ZeroDivisionError):
        Record().attempt("a step", lambda: 1 // 0)


@pytest.mark.parametrize(
    ("abi", "rules"),
    [
        (1, (0x1FFF, 0, 0, 8)),
        (2, (0x3FFF, 0, 0, 8)),
        (3, (0x7FFF, 0, 0, 8)),
        (4, (0x7FFF, 3, 0, 16)),
        (5, (0xFFFF, 3, 0, 16)),
        (6, (0xFFFF, 3, 3, 24)),
        (9, (0xFFFF, 3, 3, 24)),
    ],
)
def test_every_right_that_a_version_of_landlock_knows_is_taken_away(abi, rules):
    assert landlock_ruleset(abi) == rules


def test_the_address_space_is_measured_in_bytes():
    assert 1 << 20 < address_space_bytes() < 1 << 46
