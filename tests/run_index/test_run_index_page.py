"""The page of the run index: starting, watching, changing and ending it, and erasing a run."""

import html
import re
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from tests.run_index.index_scene import add_past, read_all, turn
from tests.stage import Stage, stage
from tests.users import browser, credential, move, person
from workflows_ui.audit.models import AuditEvent
from workflows_ui.core import heartbeat
from workflows_ui.credentials.models import Credential, CredentialShare
from workflows_ui.credentials.services import sharing
from workflows_ui.members.models import Member, Role
from workflows_ui.run_index import tasks
from workflows_ui.run_index.models import IndexedRun, Kept, RunIndex
from workflows_ui.run_index.services import spans

__all__ = ["stage"]
pytestmark = [
    pytest.mark.django_db,
    pytest.mark.parametrize("stage", ["activepieces"], indirect=True),
]
PAGE, SETTINGS = "/w/sales/run-index/", "/w/sales/settings/"
LIVE = {"HX-Request": "true", "HX-Target": "run-index-live"}


@pytest.fixture
def shared(stage: Stage) -> Stage:
    """The owner's credential is shared with a team."""
    sharing.write(stage.users.credential, Group.objects.create(name="Sales team"), stage.users.owner)
    return stage


@pytest.fixture
def indexed(shared: Stage) -> Stage:
    """All runs of the engine are in the index."""
    assert post(shared, PAGE, **values(shared)).status_code == 303
    read_all(shared)
    return shared


def values(stage: Stage, **others: Any) -> dict[str, Any]:
    """What the form sends."""
    settings = {"keep_runs": "1000000", "kept": "0", "values_days": "30", "values_kb": "64", "search": "0"}
    return {"credential": str(stage.users.credential.pk), "keep_days": "14"} | settings | others


def post(stage: Stage, url: str, **data: Any) -> Any:
    """The owner sends a form."""
    return stage.browser.post(url, data)


def text(content: bytes) -> str:
    """A page's words, in one line."""
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", content.decode())).split())


def html_of(browser: Client, url: str = PAGE, **options: Any) -> str:
    """A page's text, in one line."""
    response = browser.get(url, **options)
    assert response.status_code == 200
    return text(response.content)


def live_url(stage: Stage) -> str:
    """Where the page on the screen asks for news."""
    [found] = re.findall(r'hx-get="([^"]*run-index/\?seen=[^"]*)"', stage.browser.get(PAGE).content.decode())
    assert isinstance(found, str)
    return found


def actions() -> list[str]:
    """What was done to the index, oldest first."""
    found = AuditEvent.objects.filter(action__startswith="run_index.").order_by("pk")
    return [action.removeprefix("run_index.") for action in found.values_list("action", flat=True)]


def test_without_an_index_the_page_explains_and_starts_one(shared: Stage) -> None:
    page = html_of(shared.browser)
    for said in (
        "Totals",
        "after the engine has deleted them",
        "Not kept: the inputs and outputs",
        "My key · owner (Sales team)",
    ):
        assert said in page
    assert "Not started." in html_of(shared.browser, SETTINGS)
    assert post(shared, PAGE, **values(shared, keep_days="30")).headers["Location"] == PAGE
    index = RunIndex.objects.get()
    assert (index.credential, index.keep_days, index.started_by) == (shared.users.credential, 30, shared.users.owner)
    assert "Waiting for the first runs" in html_of(shared.browser)
    assert actions() == ["start"]


def test_no_credential_is_offered_before_one_is_shared_with_a_team(stage: Stage) -> None:
    page = stage.browser.get(PAGE)
    assert "No credential of this workspace is shared yet" in text(page.content)
    assert b"run-index-form" not in page.content
    assert b'href="/w/sales/credentials/"' in page.content
    assert post(stage, PAGE, **values(stage)).status_code == 422
    assert not RunIndex.objects.exists()


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"credential": "", "keep_days": ""}, "This field is required"),
        ({"credential": "00000000-0000-0000-0000-000000000001"}, "is not one of the available choices"),
        ({"credential": "\x00"}, ""),
        ({"keep_days": "0"}, "greater than or equal to 1"),
        ({"keep_days": "3651"}, "less than or equal to 3650"),
        ({"keep_days": "9" * 400}, ""),
        ({"keep_days": "soon"}, "Enter a whole number"),
    ],
)
def test_wrong_values_start_nothing_and_are_explained_at_their_field(
    shared: Stage, wrong: dict[str, str], said: str
) -> None:
    response = post(shared, PAGE, **values(shared, **wrong))
    assert response.status_code == 422
    assert said in text(response.content)
    assert not RunIndex.objects.exists()


def test_a_credential_of_another_person_that_is_not_shared_cannot_be_chosen(shared: Stage) -> None:
    other = credential(shared.users.workspace, shared.users.colleague, shared.secret)
    assert post(shared, PAGE, **values(shared, credential=str(other.pk))).status_code == 422
    assert not RunIndex.objects.exists()


@pytest.mark.slow
def test_an_index_that_is_up_to_date_says_how_much_it_holds(indexed: Stage) -> None:
    page = html_of(indexed.browser)
    number = IndexedRun.objects.count()
    now = timezone.localtime()
    assert "Up to date As of" in page
    assert f"Runs kept {number} " in page
    assert "The owner and these teams see what it sees: Sales team." in page
    assert "Started by owner, just now" in page
    assert re.search(rf"{number} runs as of {now:%H}:\d\d\.", html_of(indexed.browser, SETTINGS))


@pytest.mark.slow
def test_while_the_past_is_read_the_page_says_how_far(indexed: Stage) -> None:
    RunIndex.objects.update(spans=spans.dump([spans.Span(None, timezone.now() - timedelta(days=7))]))
    page = html_of(indexed.browser)
    assert "Reading the past" in page
    assert re.search(r"50% of the time, back to \d+ \w+ 20\d\d", page)
    assert b'value="50" max="100"' in indexed.browser.get(PAGE).content
    assert "The past is being read: 50% of the time" in html_of(indexed.browser, SETTINGS)


@pytest.mark.slow
def test_the_live_part_is_sent_only_if_something_is_new(indexed: Stage) -> None:
    url = live_url(indexed)
    assert indexed.browser.get(url, headers=LIVE).status_code == 204
    add_past(indexed, 3)
    RunIndex.objects.update(compared_at=timezone.now() - timedelta(days=1))
    turn(indexed)
    part = indexed.browser.get(url, headers=LIVE)
    assert part.status_code == 200
    assert part.content.strip().startswith(b"<section")
    assert f"Runs kept {IndexedRun.objects.count()} " in text(part.content)
    assert indexed.browser.get(live_url(indexed), headers=LIVE).status_code == 204


@pytest.mark.slow
def test_a_page_whose_index_was_ended_elsewhere_is_loaded_again(indexed: Stage) -> None:
    url = live_url(indexed)
    RunIndex.objects.all().delete()
    assert indexed.browser.get(url, headers=LIVE).headers["HX-Redirect"] == PAGE


@pytest.mark.slow
def test_an_engine_that_does_not_answer_is_explained_with_the_next_attempt(indexed: Stage) -> None:
    indexed.practice.server.stop()
    turn(indexed)
    page = html_of(indexed.browser)
    assert "The engine cannot be reached" in page
    assert re.search(r"reached The runs are as of \d\d:\d\d\. The console tries again at \d\d:\d\d\.", page)
    assert "The engine cannot be reached" in html_of(indexed.browser, SETTINGS)
    before = RunIndex.objects.get()
    assert post(indexed, f"{PAGE}read/").headers["Location"] == PAGE
    after = RunIndex.objects.get()
    assert after.due_at < before.due_at
    assert after.failures == before.failures == 1


@pytest.mark.sampled(3)
@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("CredentialRefused", "The engine refuses the credential"),
        (
            "NotShared",
            "The credential is not shared with a team any more Nothing new is read. Choose another credential",
        ),
        ("NotEntered", "The secret must be entered again"),
        ("CannotOpen", "The credential cannot be opened"),
        ("FlowFailed", "Something went wrong with the engine"),
        ("ValueError", "Something went wrong with the engine"),
    ],
)
def test_every_error_that_a_reader_records_is_in_words(shared: Stage, name: str, said: str) -> None:
    post(shared, PAGE, **values(shared))
    RunIndex.objects.update(failures=2, trouble=name)
    page = html_of(shared.browser)
    assert said in page
    assert "Nothing has been read yet. The console tries again at" in page
    assert name not in page


@pytest.mark.slow
def test_the_page_says_that_nothing_works_in_the_background(indexed: Stage) -> None:
    cache.delete(heartbeat.KEY)
    assert "Background work is not running right now" in html_of(indexed.browser)


@pytest.mark.slow
def test_a_deleted_credential_stops_the_index_until_another_one_is_chosen(indexed: Stage) -> None:
    before = IndexedRun.objects.count()
    indexed.users.credential.delete()
    page = indexed.browser.get(PAGE)
    assert "Stopped: the credential was deleted" in text(page.content)
    assert "No credential of this workspace is shared yet" in text(page.content)
    assert b'data-live hx-get="/w/sales/run-index/' not in page.content
    assert "Stopped: the credential was deleted. Choose another" in html_of(indexed.browser, SETTINGS)
    other = credential(indexed.users.workspace, indexed.users.owner, indexed.secret, name="Next")
    sharing.write(other, Group.objects.get(), indexed.users.owner)
    post(indexed, PAGE, **values(indexed, credential=str(other.pk)))
    turn(indexed)
    assert "Up to date" in html_of(indexed.browser)
    assert IndexedRun.objects.count() >= before


@pytest.mark.slow
def test_a_moved_workspace_starts_again_and_forgets_the_runs_of_the_other_engine(indexed: Stage) -> None:
    move(indexed.users.workspace, address=f"{indexed.practice.activepieces}/")
    type(indexed.users.workspace).objects.update(moves=1)
    old = IndexedRun.objects.create(workspace=indexed.users.workspace, run_id="old", created=timezone.now())
    page = html_of(indexed.browser)
    assert "The workspace was moved These runs are from the engine at the earlier address." in page
    assert "The workspace was moved. Start the run index again" in html_of(indexed.browser, SETTINGS)
    indexed.practice.engine.settings.version = "0.83.0"
    post(indexed, PAGE, **values(indexed))
    read_all(indexed)
    assert not IndexedRun.objects.filter(pk=old.pk).exists()
    assert "Up to date" in html_of(indexed.browser)


@pytest.mark.slow
def test_a_credential_that_is_shared_no_longer_is_pointed_out(indexed: Stage) -> None:
    sharing.write(
        credential(indexed.users.workspace, indexed.users.owner, indexed.secret, name="Next"),
        Group.objects.get(),
        indexed.users.owner,
    )
    CredentialShare.objects.filter(credential=indexed.users.credential).delete()
    page = html_of(indexed.browser)
    assert "is not shared with a team any more" in page
    assert "Only the owner sees it." in page


@pytest.mark.slow
def test_the_credential_and_the_days_can_be_changed(indexed: Stage) -> None:
    post(indexed, PAGE, **values(indexed, keep_days="400"))
    index = RunIndex.objects.get()
    assert index.keep_days == 400
    assert index.spans
    assert "The run index is changed." in html_of(indexed.browser)
    assert actions() == ["start", "start"]


@pytest.mark.slow
def test_ending_is_confirmed_with_the_number_of_runs_and_deletes_them(indexed: Stage) -> None:
    number = IndexedRun.objects.count()
    assert f"{number} runs are deleted here. Nothing is deleted in the engine." in html_of(
        indexed.browser, f"{PAGE}stop/"
    )
    assert RunIndex.objects.exists()
    assert post(indexed, f"{PAGE}stop/", sure="yes").headers["Location"] == PAGE
    assert "The run index is ended." in html_of(indexed.browser)
    tasks.purge()
    assert not IndexedRun.objects.exists()
    post(indexed, f"{PAGE}stop/", sure="yes")
    assert "There is no run index." in html_of(indexed.browser)
    assert indexed.browser.get(f"{PAGE}stop/").headers["Location"] == PAGE
    assert actions() == ["start", "stop"]


@pytest.mark.slow
def test_a_run_is_erased_by_its_id(indexed: Stage) -> None:
    run = IndexedRun.objects.exclude(failed_step="")[0]
    url = f"{PAGE}erase/?run={run.run_id}"
    assert f'value="{run.run_id}"' in indexed.browser.get(url).content.decode()
    assert post(indexed, f"{PAGE}erase/", run_id=f" {run.run_id} ").headers["Location"] == PAGE
    run.refresh_from_db()
    assert run.erased_at
    assert run.run_id not in indexed.browser.get("/w/sales/runs/").content.decode()
    assert actions() == ["start", "erase"]
    assert "Erased a run from the run index" in html_of(indexed.browser)


@pytest.mark.slow
def test_a_run_that_the_index_does_not_have_is_an_error_at_the_field(indexed: Stage) -> None:
    for run_id in ("", "nothing-of-this-id", "\x00", "x" * 65, "<script>"):
        response = post(indexed, f"{PAGE}erase/", run_id=run_id)
        assert response.status_code == 422, run_id
        assert response.context["form"].errors["run_id"]
        assert b'<script>"' not in response.content
    assert actions() == ["start"]


def test_a_run_of_another_workspace_is_not_erased(indexed: Stage) -> None:
    elsewhere = type(indexed.users.workspace).objects.create(slug="elsewhere", name="E", address="http://127.0.0.1:9")
    IndexedRun.objects.create(workspace=elsewhere, run_id="theirs", created=timezone.now())
    assert post(indexed, f"{PAGE}erase/", run_id="theirs").status_code == 422
    assert not IndexedRun.objects.get(run_id="theirs").erased_at


def test_only_managers_reach_the_page_and_its_actions(indexed: Stage) -> None:
    for part in ("", "read/", "stop/", "erase/"):
        for role in (Role.VIEWER, Role.LAUNCHER, Role.BUILDER):
            assert indexed.as_role(role).post(PAGE + part, values(indexed)).status_code == 403
        assert browser(indexed.users.stranger).post(PAGE + part).status_code == 404
    assert browser(indexed.users.stranger).get(PAGE).status_code == 404
    assert indexed.browser.get(f"{PAGE}read/").status_code == 405
    assert actions() == ["start"]


@pytest.mark.slow
def test_a_manager_who_may_not_use_the_credential_sees_how_much_there_is_and_no_run(indexed: Stage) -> None:
    manager = indexed.as_role(Role.MANAGER)
    run = IndexedRun.objects.order_by("pk")[0]
    for url in (PAGE, f"{PAGE}stop/", f"{PAGE}erase/", SETTINGS):
        assert run.run_id not in manager.get(url).content.decode()
    assert f"Runs kept {IndexedRun.objects.count()} " in html_of(manager)


def test_a_manager_shares_a_credential_and_starts_the_index_in_one_step(stage: Stage) -> None:
    team = Group.objects.create(name="Sales <b>team</b>")
    Member.objects.create(workspace=stage.users.workspace, team=team, role=Role.VIEWER)
    stage.users.colleague.groups.add(team)
    others = credential(stage.users.workspace, person("other"), "secret", name="Another person's")
    page = stage.browser.get(PAGE).content.decode()
    assert "the next page shows what will be shared with whom" in page
    assert "Another person" not in page
    sent = values(stage, team=team.pk)
    question = stage.browser.post(PAGE, sent)
    assert "Sales &lt;b&gt;team&lt;/b&gt;" in question.content.decode()
    assert stage.users.colleague.label in text(question.content)
    assert not RunIndex.objects.exists()
    assert not CredentialShare.objects.exists()
    for wrong in ({"credential": str(others.pk)}, {"team": "new"}, {"team": Group.objects.create(name="Strangers").pk}):
        assert stage.browser.post(PAGE, sent | {"confirmed": "yes"} | wrong).status_code == 422
    assert not RunIndex.objects.exists()
    assert stage.browser.post(PAGE, sent | {"confirmed": "yes"}).headers["Location"] == PAGE
    assert sharing.teams(stage.users.credential) == [team]
    assert RunIndex.objects.get().credential == stage.users.credential
    done = list(AuditEvent.objects.order_by("pk").values_list("action", flat=True))
    assert done[-2:] == ["credential.share", "run_index.start"]


def test_a_manager_without_a_credential_or_a_team_sees_which_is_missing(stage: Stage) -> None:
    manager = stage.as_role(Role.MANAGER)
    page = html_of(manager)
    assert "You have one." in page
    assert "There is no team yet: ask an administrator of the console to create one." in page
    team = Group.objects.create(name="Sales team")
    page = html_of(manager)
    assert "Add a team to the workspace" in page
    assert "There is no team yet" not in page
    assert manager.post("/w/sales/members/add/", {"team": team.pk, "role": Role.VIEWER}).status_code == 303
    assert "the next page shows what will be shared with whom" in html_of(manager)
    Credential.objects.filter(owner=stage.users.colleague).delete()
    page = html_of(manager)
    assert "There is one." in page
    assert "Add a credential" in page


def test_a_superuser_creates_the_team_as_well(stage: Stage) -> None:
    stage.users.owner.is_superuser = True
    stage.users.owner.save()
    sent = values(stage, team="new")
    assert "is created now" in text(stage.browser.post(PAGE, sent).content)
    Group.objects.create(name="runs of sales")
    refused = stage.browser.post(PAGE, sent | {"confirmed": "yes"})
    assert "There is a team with this name" in text(refused.content)
    assert not RunIndex.objects.exists()
    Group.objects.all().delete()
    assert stage.browser.post(PAGE, sent | {"confirmed": "yes"}).status_code == 303
    (team,) = sharing.teams(stage.users.credential)
    assert list(team.user_set.all()) == [stage.users.owner]
    assert Member.objects.get(team=team).role == Role.VIEWER
    done = list(AuditEvent.objects.order_by("pk").values_list("action", flat=True))
    assert done[-5:] == ["team.create", "team.add", "member.add", "credential.share", "run_index.start"]


def test_the_question_names_the_people_of_a_new_team_and_keeps_what_was_chosen(stage: Stage) -> None:
    stage.users.owner.is_superuser = True
    stage.users.owner.save()
    colleague = stage.users.colleague
    sent = values(stage, team="new") | {"people": [colleague.pk], "values": "on"}
    question = stage.browser.post(PAGE, sent).content.decode()
    assert colleague.label in text(question.encode())
    assert "Kept for 30 days, encrypted" in question
    again = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', question))
    assert (again["people"], again["values"], again["confirmed"]) == (str(colleague.pk), "on", "yes")
    assert stage.browser.post(PAGE, again).status_code == 303
    (team,) = sharing.teams(stage.users.credential)
    assert set(team.user_set.all()) == {stage.users.owner, colleague}
    assert RunIndex.objects.get().kept == Kept.VALUES


def test_days_off_are_entered_as_days_and_kept_in_their_order(shared: Stage) -> None:
    wrong = post(shared, PAGE, **values(shared, days_off="2026-12-25 Christmas"))
    assert "“Christmas” is not a date." in text(wrong.content)
    assert post(shared, PAGE, **values(shared, days_off="2027-01-01, 2026-12-25\n2026-12-25")).status_code == 303
    assert RunIndex.objects.get().days_off == ["2026-12-25", "2027-01-01"]
    assert "2026-12-25\n2027-01-01" in shared.browser.get(PAGE).content.decode()
    assert AuditEvent.objects.latest("pk").detail["days_off"] == "2026-12-25 2027-01-01"
