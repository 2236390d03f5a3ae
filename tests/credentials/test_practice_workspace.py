"""The practice workspace, and the commands that set up people and credentials."""

import io
import sys
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from practice_engine import PracticeEngine, serve
from practice_engine.routes.gateway import OTP
from tests import users as test_users
from tests.practice_engine.fixtures import Practice
from tests.users import credential, person, workspace
from workflows_ui.accounts.models import User
from workflows_ui.accounts.services import people
from workflows_ui.alarms import checking
from workflows_ui.alarms.models import Alarm
from workflows_ui.audit.services.audit_log import CONSOLE, Actor
from workflows_ui.core.crypto import CannotOpen
from workflows_ui.credentials.models import Credential, CredentialKind, Health
from workflows_ui.credentials.services import clients, credential_tests, practice as practising
from workflows_ui.engine import Timeouts
from workflows_ui.failures.models import FailurePattern
from workflows_ui.members.models import Colour, Member, Role, Workspace
from workflows_ui.members.services import access, members
from workflows_ui.run_index.models import Kept, RunIndex, RunValues
from workflows_ui.run_index.services import indexes, reading

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _no_second_try(monkeypatch: pytest.MonkeyPatch) -> None:
    """So little time that a read which failed is not tried again."""
    monkeypatch.setattr(credential_tests, "TIMEOUTS", Timeouts(connect=2.0, read=0.4, total=0.4))


@pytest.fixture
def configured(settings: Any, practice: Practice) -> Practice:
    """Settings that name the running practice engine."""
    settings.PRACTICE_ENGINE_URL = practice.url
    settings.PRACTICE_ENGINE_TOKEN = practice.credentials.bearer_token
    return practice


def run(command: str, *arguments: str) -> str:
    out = io.StringIO()
    call_command(command, *arguments, stdout=out)
    return out.getvalue()


def typed(monkeypatch: pytest.MonkeyPatch, secret: str) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(f"{secret}\n"))


# --- People


def test_the_first_user_gets_a_generated_password_that_is_shown_once() -> None:
    output = run("first_user", "--email", "admin@example.com")
    password = output.split("Password:")[1].split()[0]
    admin = User.objects.get()
    assert admin.check_password(password)
    assert admin.is_superuser
    assert run("first_user") == ""
    assert User.objects.count() == 1


def test_no_two_passwords_are_alike() -> None:
    made = {people.generated_password() for _ in range(200)}
    assert len(made) == 200
    assert all(len(password) == 23 for password in made)


def test_further_people_are_added_by_a_command_and_no_name_twice() -> None:
    output = run("add_person", "ada", "--email", "ada@example.com", "--name", "Ada Nguyen")
    assert User.objects.get().label == "Ada Nguyen"
    assert User.objects.get().check_password(output.split("Password:")[1].split()[0])
    assert not User.objects.get().is_superuser
    run("add_person", "keeper", "--superuser")
    assert User.objects.get(username="keeper").is_superuser
    for taken in (["ADA"], ["other", "--email", "ADA@example.com"]):
        with pytest.raises(CommandError, match="taken"):
            run("add_person", *taken)


# --- The practice workspace


def test_the_practice_workspace_is_grey_and_managed_by_the_first_user(configured: Practice) -> None:
    run("first_user")
    assert "Practice workspace created: " in run("practice_workspace")
    place = Workspace.objects.get()
    assert (place.name, place.practice, place.colour) == ("Practice", True, Colour.GREY)
    assert place.address == configured.activepieces
    first = User.objects.get()
    assert place.slug == "practice"
    assert access.access_for(first, place.slug).role is Role.MANAGER
    client, used = clients.client_for_person(first, place)
    assert client.workflows.get_current_project()["id"] == place.project_id
    assert used.health == Health.WORKS


def test_making_it_again_changes_nothing(configured: Practice) -> None:
    run("first_user")
    run("practice_workspace")
    before = list(Workspace.objects.values()), Credential.objects.count(), Member.objects.count()
    assert run("practice_workspace") == ""
    assert (list(Workspace.objects.values()), Credential.objects.count(), Member.objects.count()) == before


def test_it_follows_an_engine_that_moved_and_a_token_that_changed(configured: Practice, settings: Any) -> None:
    run("first_user")
    run("practice_workspace")
    test_users.move(Workspace.objects.get(), address="http://127.0.0.1:9/api")
    place, first = Workspace.objects.get(), User.objects.get()
    row = Credential.objects.get()
    row.secret = row.seal("secret", "the-token-of-yesterday")
    row.save()
    run("practice_workspace")
    place.refresh_from_db()
    assert place.address == configured.activepieces
    client, _ = clients.client_for_person(first, place)
    assert client.workflows.get_current_project()["id"] == place.project_id
    assert Workspace.objects.count() == 1


def test_a_new_member_can_practise_at_once_and_elsewhere_gets_nothing(configured: Practice) -> None:
    run("first_user")
    run("practice_workspace")
    place, first, ben = Workspace.objects.get(), User.objects.get(), person("ben")
    added = members.add(Actor(user=first), place, ben, Role.LAUNCHER)
    practising.equip(added)
    practising.equip(added)
    assert Credential.objects.get(owner=ben).health == Health.WORKS
    other = workspace("sales", project="Q" * 21)
    practising.equip(Member.objects.create(workspace=other, user=ben, role=Role.LAUNCHER))
    assert not Credential.objects.filter(workspace=other).exists()


def test_the_practice_token_goes_to_no_workspace_at_another_address(configured: Practice) -> None:
    other = workspace("sales")
    Workspace.objects.update(practice=True)
    other.refresh_from_db()
    practising.equip(Member.objects.create(workspace=other, user=person("ben"), role=Role.LAUNCHER))
    assert not Credential.objects.exists()


@pytest.mark.slow
def test_the_practice_workspace_has_a_run_index_over_a_month_with_alarms_and_a_note(settings: Any) -> None:
    engine = PracticeEngine(clock_scale=0.02, month=True)
    server = serve(engine)
    settings.PRACTICE_ENGINE_URL, settings.PRACTICE_ENGINE_TOKEN = server.url, engine.credentials.bearer_token
    try:
        run("first_user")
        run("practice_workspace")
        run("practice_index")
        index = RunIndex.objects.get()
        while RunIndex.objects.get().spans:
            RunIndex.objects.update(due_at=timezone.now())
            reading.read(index.pk)
        checking.check(index.pk)
        browser = Client()
        browser.force_login(User.objects.get())
        alarms, failures = (browser.get(f"/w/practice/{page}/").content.decode() for page in ("alarms", "failures"))
        assert index.kept == Kept.VALUES
        assert {"Kiểm tra tồn kho (8 giây)", "Welcome mail"} <= {row.flow_name for row in Alarm.objects.all()}
        assert "Welcome mail" in alarms
        assert "Tell the team" in failures
        [noted] = FailurePattern.objects.exclude(note="")
        assert "connect it again" in browser.get(f"/w/practice/failures/{noted.fingerprint}/").content.decode()
        assert RunValues.objects.exists()
        indexes.stop(CONSOLE, index.workspace)
        run("practice_index")
        assert not RunIndex.objects.exists(), "who ended it keeps it so"
    finally:
        server.stop()
        engine.close()


def test_without_a_practice_engine_in_the_settings_nothing_is_made(settings: Any) -> None:
    settings.PRACTICE_ENGINE_URL = ""
    run("first_user")
    assert run("practice_workspace") == ""
    assert not Workspace.objects.exists()


def test_a_practice_engine_that_is_down_is_shown_in_one_line(configured: Practice, settings: Any) -> None:
    run("first_user")
    settings.PRACTICE_ENGINE_URL = "http://127.0.0.1:9"
    with pytest.raises(CommandError, match="Nothing answers at this address"):
        run("practice_workspace")


def test_a_practice_engine_that_is_still_coming_up_is_waited_for(configured: Practice) -> None:
    run("first_user")
    configured.engine.faults.add("html", "GET", "/v1/users/projects/current", times=1)
    assert "created" in run("practice_workspace", "--wait", "30")


# --- add_credential


def test_the_command_adds_a_credential_whose_secret_comes_from_standard_input(
    practice: Practice,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ada = person("ada")
    typed(monkeypatch, practice.credentials.bearer_token)
    output = run(
        "add_credential",
        "--user",
        "ada",
        "--flavour",
        "activepieces",
        "--address",
        practice.activepieces,
        "--project",
        practice.credentials.project_id,
        "--name",
        "Scripted",
    )
    credential = Credential.objects.get()
    assert (credential.owner, credential.name, credential.open("secret")) == (
        ada,
        "Scripted",
        practice.credentials.bearer_token,
    )
    assert f"Workspace made: {credential.workspace.slug}" in output
    assert practice.credentials.bearer_token not in output
    typed(monkeypatch, practice.credentials.bearer_token_colleague)
    person("ben")
    assert "asked to let ben in" in run(
        "add_credential", "--user", "ben", "--flavour", "activepieces", "--address", practice.activepieces
    )


def test_the_command_takes_a_gateway_and_a_token_with_its_organization(
    practice: Practice,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    person("ada")
    typed(monkeypatch, practice.credentials.jwt)
    run(
        "add_credential",
        "--user",
        "ada",
        "--address",
        practice.gateway,
        "--kind",
        "access_token",
        "--organization",
        practice.credentials.organization_id,
    )
    assert Workspace.objects.get().organization_id == practice.credentials.organization_id


def test_the_command_takes_every_kind_there_is_and_its_secret_from_standard_input_alone(
    practice: Practice,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    known, plain = practice.credentials, ["--flavour", "activepieces", "--address", practice.activepieces]
    plain += ["--project", known.project_id]
    ada, gateway = person("ada"), ["--address", practice.gateway]
    signing, here = ["--email", known.email], ["--organization", known.organization_id]
    ways: list[tuple[str, str, list[str]]] = [
        ("api_key", known.api_key, gateway),
        ("access_token", known.access_token, [*gateway, "--ends-on", "2999-01-31"]),
        ("jwt", known.jwt, [*gateway, *here]),
        ("sign_in", known.password, [*gateway, *signing, *here, "--keep-password"]),
        ("sign_in", OTP, [*gateway, *signing, *here, "--by-code"]),
        ("bearer_token", known.bearer_token, plain),
        ("bearer_sign_in", known.password, [*plain, *signing]),
    ]
    with pytest.raises(CommandError) as several:
        typed(monkeypatch, known.password)
        run("add_credential", "--user", "ada", "--kind", "sign_in", *gateway, *signing)
    assert known.other_organization_id in str(several.value)
    assert "asked to send a code" in run(
        "add_credential", "--user", "ada", "--kind", "sign_in", *gateway, *signing, "--send-code"
    )
    for kind, secret, arguments in ways:
        typed(monkeypatch, secret)
        output = run("add_credential", "--user", "ada", "--kind", kind, "--name", kind, *arguments)
        assert secret not in output
    rows = {(row.kind, bool(row.password)) for row in Credential.objects.filter(owner=ada)}
    assert {kind for kind, _password in rows} == set(CredentialKind.values)
    assert {kind for kind, password in rows if password} == {"sign_in"}
    with pytest.raises(CommandError, match="takes --kind bearer_token, bearer_sign_in"):
        run("add_credential", "--user", "ada", "--kind", "api_key", *plain)


@pytest.mark.parametrize(
    ("arguments", "secret", "words"),
    [
        (["--user", "nobody", "--env", "stable"], "x", "no active account"),
        (["--user", "ada", "--env", "stable", "--address", "http://127.0.0.1"], "x", "not both"),
        (["--user", "ada", "--env", "moon"], "x", "engine:"),
        (["--user", "ada", "--address", "http://127.0.0.1:9"], "", "secret:"),
        (["--user", "ada", "--address", "http://127.0.0.1:9"], "a-bad-secret", "Nothing answers"),
        (["--user", "ada", "--address", "http://169.254.169.254"], "a-bad-secret", "does not call this address"),
    ],
)
def test_the_command_says_what_is_wrong_without_the_secret(
    arguments: list[str], secret: str, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    person("ada")
    typed(monkeypatch, secret)
    with pytest.raises(CommandError) as raised:
        run("add_credential", *arguments)
    assert words in str(raised.value)
    assert "a-bad-secret" not in str(raised.value)
    assert not Credential.objects.exists()


def test_a_stored_secret_of_another_row_is_never_sent(practice: Practice) -> None:
    ada = person("ada")
    place = workspace("sales", address=practice.activepieces, project=practice.credentials.project_id)
    good, moved = (
        credential(place, ada, practice.credentials.bearer_token),
        credential(place, ada, "other", name="Moved"),
    )
    Credential.objects.filter(pk=moved.pk).update(secret=good.secret)
    moved.refresh_from_db()
    with pytest.raises(CannotOpen):
        clients.client_for_credential(moved)
    assert practice.journal.count() == 0
