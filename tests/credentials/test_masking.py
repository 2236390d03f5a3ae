"""A secret that comes back from the engine is masked where it comes in, in whatever form, and nothing writes the mask back."""

import base64
import json
from typing import Any
from urllib.parse import quote, quote_plus

import pytest
from django.test import Client as DjangoClient

from tests import users as people
from tests.engine.servers import LOOPBACK, Recorder, Reply
from tests.practice_engine.fixtures import Practice, until
from tests.users import Users
from workflows_ui.core import masking
from workflows_ui.credentials.models import Credential, CredentialKind
from workflows_ui.credentials.services import clients
from workflows_ui.engine import ApiKey, Client, EngineError, HiddenValue, Mask
from workflows_ui.engine.masking import HIDDEN
from workflows_ui.members.models import Workspace

pytestmark = pytest.mark.usefixtures("no_second_try")

SECRET = 'api_k3y/with+odd="signs"&more'


def forms() -> dict[str, str]:
    """The secret in every form in which it could come back, by name."""
    found = {
        "plain": SECRET,
        "quote": quote(SECRET, safe=""),
        "quote, lower case": quote(SECRET, safe="").replace("%2F", "%2f").replace("%2B", "%2b").replace("%3D", "%3d"),
        "quote_plus": quote_plus(SECRET),
        "json": json.dumps(SECRET),
        "json in json": json.dumps(json.dumps({"a": SECRET})),
    }
    for shift in range(3):
        text = b"x" * shift + SECRET.encode()
        found[f"base64 at {shift}"] = base64.b64encode(text + b"yy").decode()
        found[f"urlsafe base64 at {shift}"] = base64.urlsafe_b64encode(text + b"yy").decode()
    return found


@pytest.mark.parametrize("name", forms())
def test_every_form_of_a_secret_is_masked_in_texts_bodies_and_keys(name: str) -> None:
    mask, text = Mask([SECRET]), forms()[name]
    inner = text[4:-4] if "base64" in name else text.strip('"')
    assert HIDDEN in mask.text(f"before {text} after")
    assert inner not in mask.text(f"before {text} after")
    body = json.loads(mask.body(json.dumps({text: [text, {"deep": text}]}).encode()))
    assert inner not in repr(body)
    assert inner not in repr(mask.value({text: [text]}))


def test_what_json_escapes_hide_from_a_search_is_found_all_the_same() -> None:
    escaped = "".join(f"\\u{ord(character):04x}" for character in SECRET)
    assert json.loads(Mask([SECRET]).body(f'{{"a": "x{escaped}y"}}'.encode())) == {"a": f"x{HIDDEN}y"}


def test_short_secrets_and_innocent_data_stay_as_they_are() -> None:
    body = '{"a": "pass wörd \\u00e9 \\/ x", "n": 1.10, "big": 12345678901234567890}'.encode()
    assert Mask(["short", "", SECRET]).body(body) == body
    assert Mask([]).text("short") == "short"


def test_of_secrets_that_begin_alike_the_longest_is_masked_whole() -> None:
    mask = Mask(["abcdefgh", "abcdefghijkl", "abcdefghiXkl"])
    assert mask.text("abcdefghijkl abcdefgh abcdefghiXklm") == f"{HIDDEN} {HIDDEN} {HIDDEN}m"


def test_json_too_deep_to_look_through_is_left_out() -> None:
    deep = "[" * 50_000 + '"\\u0061"' + "]" * 50_000
    assert len(Mask([SECRET]).body(deep.encode())) in (len(deep), len(HIDDEN) + 2)


def test_a_mask_shows_nothing_of_its_secrets() -> None:
    assert SECRET not in repr(Mask([SECRET]))


def client_of(peer: Recorder) -> Client:
    return Client(
        engine_url=f"{peer.url}/api",
        auth=ApiKey("api_my-own-key-1"),
        project_id="P" * 21,
        mask=Mask([SECRET]),
        safety=LOOPBACK,
    )


def test_answers_errors_and_headers_come_in_masked() -> None:
    refusal = {"statusCode": 400, "error": "Bad Request", "message": f"bad header {SECRET}"}
    replies = [Reply(200, {"data": [{"id": SECRET}]}), Reply(400, refusal)]
    with Recorder(*replies) as peer:
        client = client_of(peer)
        assert client.workflows.list_flows()["data"] == [{"id": HIDDEN}]
        with pytest.raises(EngineError) as caught:
            client.workflows.get_flow(SECRET.replace('"', ""))
    assert SECRET not in repr(caught.value) + caught.value.technical
    assert HIDDEN in caught.value.message


def test_a_triggers_answer_comes_in_masked() -> None:
    with Recorder(Reply(200, {"got": SECRET}, (("x-webhook-id", "a"), ("x-echo", quote(SECRET, safe=""))))) as peer:
        answer = client_of(peer).workflows.send_trigger("F" * 21, {}, wait=True, deadline=5)
    assert answer.value() == {"got": HIDDEN}
    assert answer.headers["x-echo"] == HIDDEN
    assert answer.outcome == "answered"


def test_what_stands_in_a_secrets_place_is_never_written_back() -> None:
    with Recorder(Reply(200, {})) as peer:
        client = client_of(peer)
        with pytest.raises(HiddenValue):
            client.workflows.create_folder(f"Folder {HIDDEN}", project_id="P" * 21)
        with pytest.raises(ValueError, match="hidden"):
            client.workflows.send_trigger("F" * 21, {"a": HIDDEN}, wait=True, deadline=5)
        assert peer.seen == []


# --- The secrets of a workspace


def _fresh(space: Workspace) -> Workspace:
    return Workspace.objects.get(pk=space.pk)


@pytest.fixture
def space(db: None) -> Any:
    masking.clear()
    yield people.workspace("sales")
    masking.clear()


def test_all_members_secrets_of_a_workspace_are_masked_and_no_other_workspaces(space: Workspace) -> None:
    people.credential(space, people.person("ada"), "secret-of-ada")
    people.credential(space, people.person("ben"), "secret-of-ben")
    elsewhere = people.workspace("elsewhere", project="Q" * 21)
    people.credential(elsewhere, people.person("eve"), "secret-of-eve")
    mask = masking.workspace_mask(space)
    assert mask.text("secret-of-ada secret-of-ben secret-of-eve") == f"{HIDDEN} {HIDDEN} secret-of-eve"


def test_the_mask_is_kept_until_a_secret_changes_and_every_process_notices(
    space: Workspace, django_assert_num_queries: Any
) -> None:
    ada = people.credential(space, people.person("ada"), "secret-of-ada")
    first = masking.workspace_mask(space)
    with django_assert_num_queries(0):
        assert masking.workspace_mask(space) is first
    # As another process does it: the memory of this process keeps the old value.
    ada.secret = ada.seal("secret", "new-secret-of-ada")
    ada.save()
    Workspace.objects.filter(pk=space.pk).update(secrets_version=7)
    assert masking.workspace_mask(_fresh(space)).text("new-secret-of-ada") == HIDDEN


def test_a_secret_about_to_be_used_is_masked_although_no_process_knew_it(space: Workspace) -> None:
    masking.workspace_mask(space)
    row = people.credential(space, people.person("ada"), "secret-of-ada")
    clients.client_for_credential(row)
    assert masking.workspace_mask(space).text("secret-of-ada") == HIDDEN


def test_a_secret_that_cannot_be_opened_keeps_no_other_from_being_masked(space: Workspace) -> None:
    broken = people.credential(space, people.person("ada"), "secret-of-ada")
    broken.secret = "gAAAA-damaged"
    broken.save()
    people.credential(space, people.person("ben"), "secret-of-ben")
    assert masking.workspace_mask(space).text("secret-of-ben") == HIDDEN


# --- From one end to the other


def test_an_access_token_that_the_engine_keeps_with_a_run_is_on_no_page_and_in_no_file(
    users: Users, practice: Practice
) -> None:
    token = practice.credentials.access_token
    key = Credential.objects.get(pk=users.credential.pk)
    key.kind = CredentialKind.ACCESS_TOKEN
    key.secret = key.seal("secret", token)
    key.save()
    masking.secrets_changed(users.workspace)
    client, _used = clients.client_for_person(users.owner, _fresh(users.workspace))
    flow = practice.sample("quick").id
    client.workflows.send_trigger(flow, {"echo": f"a {token} b"}, wait=True, deadline=30)
    run = practice.started_run()
    until(lambda: token in practice.call("GET", f"/v1/flow-runs/{run}").text)
    assert token not in json.dumps(client.workflows.get_run(run))
    browser = DjangoClient()
    browser.force_login(users.owner)
    for page in (
        f"/w/sales/runs/{run}/",
        f"/w/sales/runs/{run}/file/",
        f"/w/sales/runs/{run}/hidden/",
    ):
        answer = browser.get(page)
        assert answer.status_code == 200, page
        assert token not in answer.content.decode(), page


def test_the_secrets_of_a_mask_are_forgotten_after_a_while(users: Users, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(masking, "KEPT", 0.01)
    masking.workspace_mask(users.workspace)
    until(lambda: not masking._masks)
