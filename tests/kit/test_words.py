"""Every error and state has words."""

from workflows_ui.crypto import CannotOpen
from workflows_ui.engine import errors as engine
from workflows_ui.kit import words
from workflows_ui.models import Role, State
from workflows_ui.services.access import NoAccess, NotAllowed
from workflows_ui.services.clients import NoCredential


def _all(kind: type[engine.EngineError]) -> list[type[engine.EngineError]]:
    return [kind, *(found for child in kind.__subclasses__() for found in _all(child))]


def test_every_error_of_the_engine_has_words_of_its_own_or_of_what_it_descends_from() -> None:
    plain = words.of_error(engine.EngineError("x"))
    told = {kind for kind in _all(engine.EngineError)[1:] if words.of_error(kind("x")) != plain}
    assert told == set(_all(engine.EngineError)[1:]) - {engine.FlowFailed}


def test_the_narrower_error_is_told_before_the_wider() -> None:
    refused = words.of_error(engine.CredentialRefused("x"))
    assert words.of_error(engine.ScopedKey("x")) != refused
    assert words.of_error(engine.WrongOrganization("x")) != refused
    assert words.of_error(engine.Unreachable("x")) == words.of_error(engine.NotSent("x"))
    assert words.of_error(engine.TooLarge("x")) != words.of_error(engine.Unavailable("x"))


def test_what_is_ours_has_words_too() -> None:
    titles = {str(words.of_error(error).title) for error in (NoAccess(), NoCredential(), CannotOpen())}
    assert len(titles) == 3
    for role in Role:
        assert role.value in str(words.of_error(NotAllowed(role)).text)


def test_every_state_of_a_launch_has_word_icon_and_colour() -> None:
    for state in State:
        found = words.launch_state(state)
        assert found.word == state.label
        assert found.icon
        assert found.colour


def test_an_unknown_state_of_the_engine_is_its_own_word_in_grey() -> None:
    found = words.run_state("SOMETHING_NEW")
    assert (found.word, found.colour, found.moving) == ("SOMETHING_NEW", "secondary", False)
    assert words.run_state(None).colour == words.run_state({"odd": 1}).colour == "secondary"
    assert len(str(words.run_state("x" * 10_000).word)) == 60


def test_the_engines_own_word_stands_beside_ours() -> None:
    assert words.run_state("MEMORY_LIMIT_EXCEEDED").own == "MEMORY_LIMIT_EXCEEDED"
