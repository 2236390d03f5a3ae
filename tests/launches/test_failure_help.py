"""A failed launch: the reason first, one next step, who can help and is asked; all of it where pages are hidden from launchers, too."""

import re
from datetime import timedelta
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from tests import flows
from tests.launches.launch_scene import Scene, text_of, unescape
from workflows_ui.accounts.models import User
from workflows_ui.audit.services import audit_log
from workflows_ui.form_schema.document import Field, Form
from workflows_ui.launch_forms.services import launch_forms
from workflows_ui.launches.models import Launch, RunRetry, State
from workflows_ui.launches.services import repairs, watching
from workflows_ui.members.models import LaunchRight, Member, Role, Workspace
from workflows_ui.notes.models import Note
from workflows_ui.notification_mails import mail as notification_mail
from workflows_ui.notifications.models import Notice, NoticeKind, Watch, WatchKind

BROKEN = flows.code("fail Dòng 7: thiếu cột sku")
BOILERPLATE = "The flow failed partway through."


def _failed(scene: Scene, failure: str = "Error: Dòng 7: thiếu cột sku", **fields: Any) -> Launch:
    values: dict[str, Any] = {
        "run_id": "R" * 21,
        "run_status": "FAILED",
        "failed_step": "Đọc tệp",
        "ended_at": timezone.now(),
    }
    return scene.row(state=State.FAILED, failure=failure, **values | fields)


def _hide_pages() -> None:
    Workspace.objects.update(hidden_pages=["flows", "runs", "failures", "connections"])


def _ask(scene: Scene, launch: Launch, text: str = "Can you look?", browser: Client | None = None) -> Any:
    return (browser or scene.browser).post(reverse("note_ask", args=["sales", "launch", launch.pk]), {"text": text})


def _asked(user: User) -> list[Notice]:
    return list(Notice.objects.filter(user=user, kind=NoticeKind.NOTE))


def _owner(scene: Scene, role: Role = Role.BUILDER, *, verified: bool = True) -> User:
    """A member with the address that the owner of the scene's flows has in the engine."""
    person = scene.member("lan", role)
    address = scene.workflows.get_current_user()["email"]
    EmailAddress.objects.create(user=person, email=address.upper(), verified=verified, primary=True)
    return person


# --- The reason ------------------------------------------------------------------------------------


def test_the_step_and_its_message_stand_before_everything_else_and_the_boilerplate_is_folded(scene: Scene) -> None:
    page = unescape(scene.page(_failed(scene)))
    step, message, folded = (page.index(text) for text in ("“Đọc tệp” failed", 'id="failure-message"', BOILERPLATE))
    assert step < message < folded
    assert page.index("Dòng 7: thiếu cột sku") > message
    assert page.index('<details class="technical mt-3" id="failure-all">') < folded
    assert "Something that the step needs is missing" in page


def test_the_live_part_of_a_page_that_comes_to_fail_has_its_own_place_for_who_can_help(scene: Scene) -> None:
    launch = _failed(scene)
    headers = {"HX-Request": "true", "HX-Target": "launch-live"}
    part = text_of(scene.browser.get(reverse("launch", args=["sales", launch.pk]), headers=headers))
    assert '<div id="failure-caretakers" class="mt-3">' in part


@pytest.mark.parametrize(
    ("failure", "first"),
    [
        ("Error: Dòng 7: thiếu cột sku", "change-first"),
        ("Error: nobody knows this one", "change-first"),
        ('{"response":{"status":401,"body":{"message":"Token expired"}}}', "retry-open"),
        ('{"status":503}', "retry-open"),
    ],
)
def test_one_step_stands_out_and_the_others_are_in_a_menu(scene: Scene, failure: str, first: str) -> None:
    page = scene.page(_failed(scene, failure))
    assert f'class="btn btn-primary" id="{first}"' in page
    menu = page.partition('id="more-steps"')[2].partition("</div>")[0]
    for step in {"change-first", "retry-open", "again-open"} - {first}:
        assert f'class="dropdown-item" id="{step}"' in menu


def test_a_launch_that_waits_for_a_service_and_cannot_be_retried_is_run_again_by_one_click(scene: Scene) -> None:
    page = scene.page(_failed(scene, '{"status":503}', run_id="", failed_step=""))
    assert '<summary class="btn btn-primary" id="again-open">' in page
    assert "retry-open" not in page


def test_an_unclear_launch_has_neither_a_retry_nor_a_cancellation_nor_a_click_that_runs_it_again(scene: Scene) -> None:
    launch = scene.row(state=State.UNKNOWN, ended_at=timezone.now())
    page = scene.page(launch)
    for step in ("retry-open", "cancel-open", "again-open", "change-first"):
        assert step not in page
    for action in ("launch_retry", "launch_cancel"):
        url = reverse(action, args=["sales", launch.pk])
        for method in (scene.browser.get, scene.browser.post):
            assert method(url)["Location"] == reverse("launch", args=["sales", launch.pk])
    assert scene.engine.journal.count() == 0


def test_the_page_of_the_run_shows_the_same_reason(scene: Scene) -> None:
    flow = flows.make(scene.workflows, "Broken", BROKEN)
    launch = scene.watch(scene.launch(flow))
    page = unescape(text_of(scene.browser.get(f"/w/sales/runs/{launch.run_id}/")))
    assert page.index("“Fail” failed") < page.index("Dòng 7: thiếu cột sku") < page.index("Who can help")
    assert f'action="{reverse("note_ask", args=["sales", "runs", launch.run_id])}"' in page


# --- All that a launcher needs, whatever pages are hidden -------------------------------------------


def test_a_launcher_retries_from_the_failed_step_where_runs_are_hidden(scene: Scene) -> None:
    _hide_pages()
    flow = flows.make(scene.workflows, "Broken", flows.code("fail soft"))
    launch = scene.watch(scene.launch(flow))
    url = reverse("launch_retry", args=["sales", launch.pk])
    assert f'href="{url}"' in scene.page(launch)
    question = text_of(scene.browser.get(url))
    assert f'action="{url}"' in question
    assert "/w/sales/runs/" not in question
    ticket = re.search(r'name="action-ticket" value="([^"]+)"', question)
    assert ticket
    answer = scene.browser.post(url, {"action-ticket": ticket[1]})
    assert (answer.status_code, answer["Location"]) == (303, reverse("launch", args=["sales", launch.pk]))
    assert RunRetry.objects.get().launch == launch
    again = scene.browser.post(url, {"action-ticket": ticket[1]})
    assert again.status_code == 303
    assert RunRetry.objects.count() == 1
    page = unescape(scene.page(Launch.objects.get(pk=launch.pk)))
    assert "/w/sales/runs/" not in page


def test_a_launcher_cancels_a_run_that_waits_where_runs_are_hidden(scene: Scene) -> None:
    _hide_pages()
    flow = flows.make(scene.workflows, "Waits", flows.delay(100_000))
    launch = scene.watch(scene.launch(flow), State.PAUSED)
    url = reverse("launch_cancel", args=["sales", launch.pk])
    assert f'id="cancel-open" href="{url}"' in scene.page(launch)
    answer = scene.browser.post(url, {"action-ticket": "t" * 32})
    assert answer["Location"] == reverse("launch", args=["sales", launch.pk])
    launch = scene.watch(launch)
    assert launch.state == State.CANCELLED
    page = unescape(scene.page(launch))
    assert "Cancelled by:" in page
    assert "cancel-open" not in page


@pytest.mark.parametrize("name", ["launch_retry", "launch_cancel"])
def test_only_those_who_may_act_on_runs_act_on_that_of_a_launch_they_may_open(scene: Scene, name: str) -> None:
    theirs = _failed(scene, user=scene.users.owner)
    own = _failed(scene)
    for method in (scene.browser.get, scene.browser.post):
        assert method(reverse(name, args=["sales", theirs.pk])).status_code == 404
    url = reverse(name, args=["sales", own.pk])
    Member.objects.filter(user=scene.users.colleague).update(role=Role.VIEWER)
    assert scene.browser.post(url).status_code == 403
    Member.objects.filter(user=scene.users.colleague).delete()
    LaunchRight.objects.create(workspace=scene.users.workspace, user=scene.users.colleague, flow_id=own.flow_id)
    assert scene.browser.post(url).status_code == 403
    assert "retry-open" not in scene.page(own)


def test_who_repaired_it_is_named_where_runs_are_hidden(scene: Scene) -> None:
    _hide_pages()
    launch = _failed(scene)
    repairs.record(scene.users.workspace, scene.users.owner.pk, launch.run_id, "N" * 21)
    page = unescape(scene.page(launch))
    assert "owner started its run again as a new run." in page
    assert "/w/sales/runs/" not in page
    repairs._notify(RunRetry.objects.get(), launch)
    assert "owner repaired it: the run was started again and succeeded." in unescape(scene.page(launch))


def test_the_story_names_who_can_help_where_flows_are_hidden(scene: Scene) -> None:
    _hide_pages()
    flow = flows.make(scene.workflows, "Broken", BROKEN)
    launch = scene.watch(scene.launch(flow))
    me = scene.workflows.get_current_user()
    headers = {"HX-Request": "true", "HX-Target": "launch-story"}
    part = unescape(text_of(scene.browser.get(reverse("launch_story", args=["sales", launch.pk]), headers=headers)))
    assert f"{me['firstName']} {me['lastName']} owns this flow." in part
    assert 'id="failure-caretakers" class="mt-3" hx-swap-oob="true"' in part
    assert "“Fail” failed: Dòng 7: thiếu cột sku" in part
    assert "/w/sales/flows/" not in part


# --- Asking for help ---------------------------------------------------------------------------------


def test_the_flows_owner_is_asked_once_by_a_note_with_the_link(scene: Scene) -> None:
    owner = _owner(scene)
    scene.member("bach", Role.BUILDER)
    flow = flows.make(scene.workflows, "Broken", BROKEN)
    launch = scene.watch(scene.launch(flow))
    first, second = _ask(scene, launch), _ask(scene, launch)
    url = reverse("launch", args=["sales", launch.pk])
    assert (first.status_code, first["Location"], second["Location"]) == (303, url, url)
    assert [notice.url for notice in _asked(owner)] == [url]
    assert Notice.objects.filter(kind=NoticeKind.NOTE).count() == 1
    assert Note.objects.get().open("text") == "Can you look?"
    assert "Notified: lan." in unescape(scene.page(launch))
    listed = unescape(text_of(scene.sign_in(owner).get("/notices/")))
    assert "colleague asks for help: Broken" in listed
    assert "“Fail” failed: Dòng 7: thiếu cột sku" in listed


def test_the_mail_about_a_question_names_the_reason_and_not_the_question(scene: Scene) -> None:
    owner = _owner(scene)
    owner.email = "lan@example.com"
    owner.save()
    launch = _failed(scene, flow_id=flows.make(scene.workflows, "Broken", BROKEN))
    _ask(scene, launch, "The customer Trần Văn Bảo waits")
    Notice.objects.update(mail_at=timezone.now())
    assert notification_mail.send(_asked(owner)[0].pk)
    body = str(mail.outbox[-1].body).replace("\u200b", "")
    assert "“Đọc tệp” failed: Dòng 7: thiếu cột sku" in body
    assert "Something that the step needs is missing" in body
    assert reverse("launch", args=["sales", launch.pk]) in body
    assert "Trần Văn Bảo" not in body


def test_an_address_that_is_not_confirmed_or_a_launcher_is_not_the_owner(scene: Scene) -> None:
    builder = scene.member("bach", Role.BUILDER)
    person = _owner(scene, verified=False)
    Member.objects.filter(user=person).update(role=Role.LAUNCHER)
    flow = flows.make(scene.workflows, "Broken", BROKEN)
    _ask(scene, _failed(scene, flow_id=flow))
    EmailAddress.objects.update(verified=True)
    _ask(scene, _failed(scene, flow_id=flow))
    assert (len(_asked(builder)), len(_asked(person))) == (2, 0)


def test_without_builders_the_managers_are_asked_also_if_the_engine_does_not_answer(scene: Scene) -> None:
    scene.server.stop()
    _ask(scene, _failed(scene), "")
    assert len(_asked(scene.users.owner)) == 1
    assert Note.objects.get().open("text") == "Please help with this."


def test_the_only_person_who_could_help_is_not_asked(scene: Scene) -> None:
    browser = scene.sign_in(scene.users.owner)
    launch = _failed(scene)
    _ask(scene, launch, browser=browser)
    assert (Note.objects.count(), Notice.objects.count()) == (0, 0)
    assert "There is no one else to ask" in unescape(scene.page(launch, browser))


def test_a_guest_asks_about_their_own_launch_and_learns_no_names(scene: Scene) -> None:
    launch, theirs = _failed(scene), _failed(scene, user=scene.users.owner)
    Member.objects.filter(user=scene.users.colleague).delete()
    LaunchRight.objects.create(workspace=scene.users.workspace, user=scene.users.colleague, flow_id=launch.flow_id)
    page = scene.page(launch)
    assert "ask-open" in page
    assert "Who can help" not in page
    assert _ask(scene, theirs).status_code == 404
    assert _ask(scene, launch).status_code == 303
    assert len(_asked(scene.users.owner)) == 1
    page = unescape(scene.page(launch))
    assert "The flow's owner is notified." in page
    assert "Notified: owner" not in page


def test_a_name_after_an_at_sign_in_a_note_notifies_those_who_may_open_the_object(scene: Scene) -> None:
    launch = _failed(scene)
    builder = scene.member("bach", Role.BUILDER)
    builder.first_name, builder.last_name = "Đức", "Nguyễn Văn"
    builder.save()
    # Whose user name begins the other one's name: the longest name is the one that is meant.
    scene.member("duc", Role.BUILDER)
    launcher = scene.member("other", Role.LAUNCHER)
    notes = reverse("notes", args=["sales", "launch", launch.pk])
    for text in (
        "nobody is named: bach",
        "write to x@bachelor.vn or x@bach.vn",
        f"@{launcher.username} may not open it",
    ):
        assert scene.browser.post(notes, {"text": text}).status_code == 303
    assert not Notice.objects.exists()
    scene.browser.post(notes, {"text": f"@{builder.label.casefold().replace('ễ', 'e')}, can you look?"})
    (notice,) = Notice.objects.all()
    assert (notice.user, notice.url) == (builder, reverse("launch", args=["sales", launch.pk]))
    assert "colleague mentioned you in a note: A flow" in unescape(text_of(scene.sign_in(builder).get("/notices/")))


# --- Failures of published forms -----------------------------------------------------------------------


def _publish(scene: Scene, flow: str) -> str:
    """Save a draft of the flow's form, and publish it by its page; the message about it."""
    row = launch_forms.find_form(scene.users.workspace, flow)
    place = scene.users.place(scene.users.owner)
    form = Form((Field("name", ("name",)),))
    row = launch_forms.save(audit_log.CONSOLE, place, flow, "Broken", form, lock=row.lock if row else None)
    browser = scene.sign_in(scene.users.owner)
    answer = browser.post(reverse("form_publish", args=["sales", flow]), {"lock": row.lock, "words": ""})
    assert answer.status_code == 303, text_of(answer)
    return unescape(text_of(browser.get(answer["Location"])))


def test_the_first_form_of_a_flow_lets_its_owner_hear_of_failures_folded_until_they_leave(scene: Scene) -> None:
    owner = _owner(scene)
    flow = flows.make(scene.workflows, "Broken", BROKEN)
    assert "lan, who owns the flow, will be notified when it fails." in _publish(scene, flow)
    for seconds in (1, 2, 3):
        _failed(scene, flow_id=flow, ended_at=timezone.now() + timedelta(seconds=seconds))
        watching.find_news()
    assert Notice.objects.get(user=owner, head=None).count == 3
    watching.stop_watching(owner, scene.users.workspace, WatchKind.FLOW, flow)
    assert "will be notified" not in _publish(scene, flow)
    assert not Watch.objects.exists()


def test_without_a_known_owner_the_person_who_publishes_hears_of_failures(scene: Scene) -> None:
    scene.engine.settings.version = "0.72.4"
    flow = flows.make(scene.workflows, "Broken", BROKEN)
    assert "You will be notified when it fails." in _publish(scene, flow)
    assert Watch.objects.get().user == scene.users.owner
