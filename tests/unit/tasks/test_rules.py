import pytest

from plainview.accounts.rules import NOBODY, ROLES, Viewer
from plainview.formats.leaf import CODE
from plainview.tasks.errors import TasksError, UnknownAnswerError, UnknownKindError
from plainview.tasks.rules import KINDS, check_answer, is_for, kind_named


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_each_kind_asks_the_holders_of_a_role_something_that_can_be_answered(kind):
    assert kind_named(kind) is KINDS[kind]
    assert KINDS[kind].role in ROLES
    assert KINDS[kind].question.endswith("?")
    for answer in KINDS[kind].answers:
        assert check_answer(kind, answer) is None
    # Both stand in the custody log as facts, and in columns of 32 characters.
    assert all(CODE.match(code) and len(code) <= 32 for code in (kind, *KINDS[kind].answers))


@pytest.mark.parametrize("kind", ["", "quarantined_files", "parked_step "])
def test_a_kind_that_nobody_described_is_refused_with_those_there_are(kind):
    for ask in (kind_named, lambda name: check_answer(name, "kept")):
        with pytest.raises(
            UnknownKindError, match="Expected one of: quarantined_file, parked_step"
        ) as refused:
            ask(kind)
        assert isinstance(refused.value, TasksError)


@pytest.mark.parametrize("answer", ["", "again", "Kept"])
def test_an_answer_to_another_question_is_refused_with_those_there_are(answer):
    with pytest.raises(UnknownAnswerError, match="Expected one of: kept, asked_again"):
        check_answer("quarantined_file", answer)


def test_a_question_is_for_whoever_holds_the_role_anywhere_and_for_the_operator():
    everywhere = Viewer(user=1, roles=frozenset({"custodian"}))
    for_a_unit = Viewer(user=1, unit_roles=frozenset({("custodian", 3)}))
    assert is_for(everywhere, "custodian")
    assert is_for(for_a_unit, "custodian")
    assert is_for(Viewer(is_operator=True), "custodian")
    assert not is_for(everywhere, "supervisor")
    assert not is_for(NOBODY, "custodian")
