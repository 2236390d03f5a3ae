"""Notices of failures name the cause: masked, cut, without links, and only to people who may open the launch or run when they read it."""

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.core import mail
from django.core.mail import EmailMessage
from django.utils import timezone
from django.utils.html import strip_tags

from practice_engine.samples import sample_flows
from tests.launches.launch_scene import PAUSE, Scene, text_of, unescape
from workflows_ui.accounts.models import User
from workflows_ui.launches.models import Launch, State
from workflows_ui.launches.services import watching
from workflows_ui.members.models import Member, Role, Workspace
from workflows_ui.notification_mails import mail as notification_mail
from workflows_ui.notifications.models import Notice, WatchKind, WatchPoll

ERROR = "Error: Dòng 7: thiếu cột sku"
HELP = "What usually helps: Check and correct the inputs, and run it again."


def _failed(scene: Scene, error: str = ERROR, **fields: Any) -> Launch:
    """A failed launch of the colleague's, and the notice of its end, for them and for the owner, who watches the flow."""
    values: dict[str, Any] = {
        "ended_at": timezone.now() + timedelta(seconds=1),
        "flow_name": "Order intake",
        "failed_step": "Đọc tệp",
    }
    launch = scene.row(state=State.FAILED, failure=error, **values | fields)
    space = scene.users.workspace
    watching.start_watching(scene.users.colleague, space, WatchKind.LAUNCH, launch.pk, "Order intake")
    watching.start_watching(scene.users.owner, space, WatchKind.FLOW, launch.flow_id, "Order intake")
    watching.find_news()
    return launch


def _mail(user: User) -> EmailMessage:
    """The mail of the person's only notice, into which others may be folded."""
    Notice.objects.filter(user=user, head=None).update(mail_at=timezone.now())
    assert notification_mail.send(Notice.objects.get(user=user, head=None).pk)
    letter = mail.outbox[-1]
    assert letter.to == [user.email]
    return letter


def _list(scene: Scene, user: User) -> str:
    return unescape(" ".join(strip_tags(text_of(scene.sign_in(user).get("/notices/"))).split()))


def test_mail_and_bell_of_a_failed_launch_name_the_cause_and_what_usually_helps(scene: Scene) -> None:
    _failed(scene, "Error: 550 5.1.1 lan@example: no such user")
    for user in (scene.users.colleague, scene.users.owner):
        body = str(_mail(user).body).replace("\u200b", "")
        assert "“Đọc tệp” failed: 550 5.1.1 lan@example: no such user" in body
        assert "The step “Đọc tệp” failed." not in body
        assert "An email address is not valid" in body
        assert HELP in body
        page = _list(scene, user)
        assert "550 5.1.1 lan@example: no such user" in page
        assert HELP in page


def test_the_cause_is_in_the_readers_language(scene: Scene) -> None:
    User.objects.update(language="vi")
    _failed(scene, "Error: Dòng 7: chờ kế toán xem")
    body = str(_mail(scene.users.colleague).body)
    assert "“Đọc tệp” thất bại: Dòng 7: chờ kế toán xem" in body
    assert "Cách xử lý thường dùng: Nếu thông báo chưa đủ rõ, hãy hỏi người phụ trách luồng." in body
    assert "What usually helps" not in body


def test_only_people_who_may_open_the_launch_when_the_mail_is_sent_read_its_cause(scene: Scene) -> None:
    _failed(scene)
    Member.objects.filter(user=scene.users.owner).update(role=Role.LAUNCHER)
    body = str(_mail(scene.users.owner).body)
    assert "The step “Đọc tệp” failed." in body
    assert "thiếu cột sku" not in body
    assert "thiếu cột sku" not in _list(scene, scene.users.owner)
    assert "thiếu cột sku" in str(_mail(scene.users.colleague).body)
    Member.objects.filter(user=scene.users.colleague).delete()
    assert "thiếu cột sku" not in _list(scene, scene.users.colleague)


def test_mail_and_page_of_a_failed_launch_lead_builders_to_the_repair_of_the_step(scene: Scene) -> None:
    launch = _failed(scene, run_id="r" * 21)
    path = f"/w/{scene.users.workspace.slug}/runs/{launch.run_id}/repair/"
    assert f"Repair the step: {settings.BASE_URL}{path}" in str(_mail(scene.users.owner).body)
    assert "/repair/" not in str(_mail(scene.users.colleague).body)
    page = f"/w/{scene.users.workspace.slug}/launches/{launch.pk}/"
    assert f'href="{path}"' in text_of(scene.sign_in(scene.users.owner).get(page))
    assert "/repair/" not in text_of(scene.sign_in(scene.users.colleague).get(page))


def test_a_secret_in_the_message_is_masked(scene: Scene) -> None:
    _failed(scene, "Error: refused, password=hunter2-hunter2 is wrong")
    for text in (str(_mail(scene.users.colleague).body), _list(scene, scene.users.colleague)):
        assert "refused" in text
        assert "hunter2" not in text


def test_a_message_neither_becomes_a_link_nor_a_header_nor_fills_the_mail(scene: Scene) -> None:
    error = "Error: see https://evil.example/x\r\nBcc: all@example.com\u202e" + "x" * 5000
    _failed(scene, error)
    letter = _mail(scene.users.colleague)
    assert "evil" not in letter.subject
    assert "evil" in str(letter.body)
    assert "evil.example" not in str(letter.body)
    assert "https://evil" not in str(letter.body)
    assert "\nBcc:" not in str(letter.body)
    assert "\u202e" not in str(letter.body)
    assert len(str(letter.body)) < 1500
    assert set(letter.message().keys()).isdisjoint({"Bcc"})


def test_the_mail_of_several_failures_names_the_cause_of_the_latest(scene: Scene) -> None:
    _failed(scene, "Error: the first cause")
    _failed(scene, "Error: the second cause", ended_at=timezone.now() + timedelta(seconds=5))
    body = str(_mail(scene.users.owner).body)
    assert "the second cause" in body
    assert "the first cause" not in body


def test_a_workspace_can_leave_causes_out(scene: Scene) -> None:
    owner = scene.sign_in(scene.users.owner)
    page = text_of(owner.get("/w/sales/settings/"))
    assert "Emails and notifications name the cause of failures" in page
    _failed(scene)
    assert "thiếu cột sku" in _list(scene, scene.users.colleague)
    assert owner.post("/w/sales/settings/", {"name": "Sales", "colour": ""}).status_code == 303
    assert not Workspace.objects.get().causes_in_notices
    assert "thiếu cột sku" not in _list(scene, scene.users.colleague)
    assert "thiếu cột sku" not in str(_mail(scene.users.colleague).body)


def test_without_the_required_second_step_the_cause_is_not_shown(scene: Scene) -> None:
    _failed(scene)
    Workspace.objects.update(second_factor_required=True)
    assert "thiếu cột sku" not in _list(scene, scene.users.colleague)
    assert "thiếu cột sku" not in str(_mail(scene.users.colleague).body)


def _failed_run(scene: Scene) -> None:
    """A failed run of the sample that fails, not launched from the console, and the owner's notice of it."""
    flow_id = sample_flows()["failing"].id
    watching.start_watching(scene.users.owner, scene.users.workspace, WatchKind.FLOW, flow_id, "Failing")
    scene.workflows.trigger_flow(flow_id, {})
    for _ in range(200):
        watching.poll_watched(scene.users.workspace.pk)
        if Notice.objects.exists():
            return
        WatchPoll.objects.update(not_before=None)
        threading.Event().wait(PAUSE)  # the engine, in other threads, gets on
    raise AssertionError("no notice")


@pytest.mark.parametrize("version", ["0.72.4", "0.83.0"])
def test_the_mail_of_a_run_that_the_console_did_not_launch_names_the_cause(db: None, version: str) -> None:
    scene = Scene(samples=True)
    scene.engine.settings.version = version
    try:
        _failed_run(scene)
        body = str(_mail(scene.users.owner).body)
        assert "“Đọc tệp” failed: " in body
    finally:
        scene.close()


def test_a_mail_about_a_run_goes_out_without_the_cause_if_the_engine_does_not_give_it(db: None) -> None:
    scene = Scene(samples=True)
    try:
        _failed_run(scene)
    finally:
        scene.close()
    body = str(_mail(scene.users.owner).body)
    assert "The step “Đọc tệp” failed." in body
    assert "“Đọc tệp” failed: " not in body
