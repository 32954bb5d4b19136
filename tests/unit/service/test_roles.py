from dataclasses import fields, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plainview.service.roles import RoleFacts, role_problem

HARMLESS = RoleFacts(
    name="plainview_app",
    is_superuser=False,
    can_create_roles=False,
    bypasses_row_security=False,
    owns_database=False,
    owns_tables=False,
    can_create_tables=False,
)
POWERS = [field.name for field in fields(RoleFacts) if field.name != "name"]


def test_a_role_without_powers_may_serve():
    assert role_problem(HARMLESS) is None


@pytest.mark.parametrize("power", POWERS)
def test_each_power_alone_is_a_problem_of_its_own(power):
    problem = role_problem(replace(HARMLESS, **{power: True}))
    assert problem
    others = {role_problem(replace(HARMLESS, **{other: True})) for other in POWERS if other != power}
    assert problem not in others


@given(st.fixed_dictionaries(dict.fromkeys(POWERS, st.booleans())))
def test_a_role_may_serve_exactly_when_it_has_no_power(powers):
    assert (role_problem(replace(HARMLESS, **powers)) is None) == (not any(powers.values()))
