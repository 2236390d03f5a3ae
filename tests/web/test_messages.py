"""Every error and state has words."""

from workflows_ui.core.crypto import CannotOpen
from workflows_ui.credentials.services.clients import NoCredential
from workflows_ui.engine import errors as engine
from workflows_ui.launches.models import State
from workflows_ui.members.models import Role
from workflows_ui.members.services.access import NoAccess, NotAllowed
from workflows_ui.web import messages


def _all(kind: type[engine.EngineError]) -> list[type[engine.EngineError]]:
    return [kind, *(found for child in kind.__subclasses__() for found in _all(child))]


def test_every_error_of_the_engine_has_words_of_its_own_or_of_what_it_descends_from() -> None:
    plain = messages.error_message(engine.EngineError("x"))
    explained = {kind for kind in _all(engine.EngineError)[1:] if messages.error_message(kind("x")) != plain}
    assert explained == set(_all(engine.EngineError)[1:]) - {engine.FlowFailed}


def test_the_narrower_error_is_shown_before_the_wider() -> None:
    refused = messages.error_message(engine.CredentialRefused("x"))
    assert messages.error_message(engine.ScopedKey("x")) != refused
    assert messages.error_message(engine.WrongOrganization("x")) != refused
    assert messages.error_message(engine.Unreachable("x")) == messages.error_message(engine.NotSent("x"))
    assert messages.error_message(engine.TooLarge("x")) != messages.error_message(engine.Unavailable("x"))


def test_what_is_ours_has_words_too() -> None:
    titles = {str(messages.error_message(error).title) for error in (NoAccess(), NoCredential(), CannotOpen())}
    assert len(titles) == 3
    for role in Role:
        assert role.value in str(messages.error_message(NotAllowed(role)).text)


def test_every_state_of_a_launch_has_word_icon_and_colour() -> None:
    for state in State:
        found = messages.launch_state(state)
        assert found.word == state.label
        assert found.icon
        assert found.colour


def test_an_unknown_state_of_the_engine_is_its_own_word_in_grey() -> None:
    found = messages.run_state("SOMETHING_NEW")
    assert (found.word, found.colour, found.moving) == ("SOMETHING_NEW", "secondary", False)
    assert messages.run_state(None).colour == messages.run_state({"odd": 1}).colour == "secondary"
    assert len(str(messages.run_state("x" * 10_000).word)) == 60


def test_the_engines_own_word_stands_beside_ours() -> None:
    assert messages.run_state("MEMORY_LIMIT_EXCEEDED").own == "MEMORY_LIMIT_EXCEEDED"
