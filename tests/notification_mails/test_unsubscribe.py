"""The links of mails that end such mails: what they turn off, how it is undone, and what nobody does with them."""

import re
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from django.core import mail, signing
from django.test import Client
from django.utils import timezone

from tests.launches.launch_scene import Scene, text_of
from tests.users import person, workspace
from workflows_ui.accounts.models import MailDelivery, User
from workflows_ui.audit.models import AuditEvent
from workflows_ui.launches.models import State
from workflows_ui.launches.services import watching
from workflows_ui.members.models import Member, Workspace
from workflows_ui.notification_mails import mail as notification_mail, unsubscribe
from workflows_ui.notifications import services as notifications
from workflows_ui.notifications.models import Mute, Notice, NoticeKind, Topic, Watch, WatchKind
from workflows_ui.notifications.mutes import Scope

pytestmark = pytest.mark.both_databases

FLOW = "F" * 21
ONE_CLICK = {"List-Unsubscribe": "One-Click"}


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    """Mails are due as soon as the notification exists, and their links are of a console behind HTTPS."""
    monkeypatch.setattr(notifications, "MAIL_AFTER", timedelta(0))
    settings.BASE_URL = "https://console.example.com"


def _mail_of_failure(scene: Scene, user: User) -> Any:
    """The mail to a person who follows the flow F, of which a launch failed."""
    watching.start_watching(user, scene.users.workspace, WatchKind.FLOW, FLOW, "Price quote")
    _fail(scene)
    return _mailed()


def _fail(scene: Scene) -> None:
    ended = timezone.now() + timedelta(seconds=1)
    scene.row(state=State.FAILED, flow_id=FLOW, flow_name="Price quote", ended_at=ended)
    watching.find_news()


def _mailed() -> Any:
    for pk in notifications.to_mail():
        notification_mail.send(pk)
    return mail.outbox[-1]


def _path(letter: Any) -> str:
    found = re.fullmatch(
        r"<https://console\.example\.com(/unsubscribe/[^>]+/)>", letter.extra_headers["List-Unsubscribe"]
    )
    assert found
    return found[1]


def _stranger() -> Client:
    """A mail program: no session, and no token of a form."""
    return Client(enforce_csrf_checks=True)


def _text(answer: Any) -> str:
    return unescape(text_of(answer))


def test_a_mail_has_the_headers_of_one_click_and_the_link_in_one_piece(scene: Scene, settings: Any) -> None:
    letter = _mail_of_failure(scene, scene.users.owner)
    assert letter.extra_headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    address = f"https://console.example.com{_path(letter)}"
    assert address in letter.body
    assert f"<{address}>\n" in letter.message().as_string()
    assert f"/notices/{Notice.objects.get(mailed_at__isnull=False).pk}/following/" in letter.body
    settings.BASE_URL = "http://console.local"
    notifications.notify(scene.users.owner, NoticeKind.JOB_ENDED, "job:1", url="/job/")
    letter = _mailed()
    assert letter.extra_headers["List-Unsubscribe"].startswith("<http://console.local/unsubscribe/")
    assert "List-Unsubscribe-Post" not in letter.extra_headers


def test_get_shows_a_page_with_one_button_and_changes_nothing(scene: Scene) -> None:
    url = _path(_mail_of_failure(scene, scene.users.owner))
    for method in ("get", "head"):
        answer = getattr(_stranger(), method)(url)
        assert answer.status_code == 200
    page = _text(_stranger().get(url))
    assert page.count("<button") == 1
    assert "Failures and alarms of “Price quote” in “Sales”" in page
    assert "no-store" in _stranger().get(url)["Cache-Control"]
    assert not Mute.objects.exists()


def test_one_click_ends_these_mails_says_which_and_is_undone_on_the_same_page_or_signed_in(scene: Scene) -> None:
    owner = scene.users.owner
    url = _path(_mail_of_failure(scene, owner))
    for _twice in range(2):
        answer = _stranger().post(url, ONE_CLICK)
        assert answer.status_code == 200
    page = _text(answer)
    assert "You get no more emails about this" in page
    assert "Failures and alarms of “Price quote” in “Sales”" in page
    assert "/profile/following/" in page
    mute = Mute.objects.get()
    assert (mute.user, mute.topic, mute.flow_id, mute.mail_only, mute.until) == (owner, Topic.FLOWS, FLOW, True, None)
    assert not AuditEvent.objects.filter(action__startswith="mute.").exists()
    _fail(scene)
    assert notifications.to_mail() == []
    assert Notice.objects.filter(user=owner, read_at=None).exists(), "the bell stays"
    assert "Turn off these emails?" in _text(_stranger().post(url, {"undo": "1"}))
    assert not Mute.objects.exists()
    _stranger().post(url, ONE_CLICK)
    assert "Turn on emails" in text_of(scene.sign_in(owner).get("/profile/following/"))


@pytest.mark.parametrize(
    ("kind", "topic", "text"),
    [
        (NoticeKind.NOTE, Topic.NOTES, "Notes that name you"),
        (NoticeKind.JOB_ENDED, Topic.JOBS, "Your exports and bulk actions"),
        (NoticeKind.ALARM, Topic.ALARMS, "All alarms in “Sales”"),
        (NoticeKind.CREDENTIAL_ENDS, Topic.CREDENTIALS, "Your credentials"),
    ],
)
def test_each_kind_of_mail_ends_its_own_kind_only(scene: Scene, kind: NoticeKind, topic: Topic, text: str) -> None:
    owner = scene.users.owner
    notifications.notify(owner, kind, "one", url="/x/", workspace=scene.users.workspace, name="x", days=3)
    url = _path(_mailed())
    assert text in _text(_stranger().post(url, ONE_CLICK))
    assert [row.topic for row in Mute.objects.all()] == [topic]
    for other in (kind, NoticeKind.FAILURE_ASSIGNED):
        notifications.notify(owner, other, f"two {other}", url="/x/", workspace=scene.users.workspace)
    waiting = Notice.objects.filter(pk__in=notifications.to_mail())
    assert [row.kind for row in waiting] == [NoticeKind.FAILURE_ASSIGNED]


def test_the_link_of_a_digest_ends_all_mails_and_its_undo_brings_the_digest_back(scene: Scene) -> None:
    owner = scene.users.owner
    User.objects.filter(pk=owner.pk).update(mail_delivery=MailDelivery.DAILY)
    owner.refresh_from_db()
    for number in range(2):
        notifications.notify(owner, NoticeKind.JOB_ENDED, f"job:{number}", url="/job/")
    Notice.objects.update(mail_at=timezone.now())
    url = _path(_mailed())
    assert "The daily email, and all other emails of notifications" in _text(_stranger().get(url))
    _stranger().post(url, ONE_CLICK)
    owner.refresh_from_db()
    assert owner.mail_delivery == MailDelivery.NONE
    _stranger().post(url, {"undo": "1"})
    owner.refresh_from_db()
    assert owner.mail_delivery == MailDelivery.DAILY


def test_the_page_is_in_the_language_of_the_mail(scene: Scene) -> None:
    User.objects.filter(pk=scene.users.owner.pk).update(language="vi")
    url = _path(_mail_of_failure(scene, User.objects.get(pk=scene.users.owner.pk)))
    answer = _stranger().get(url, headers={"Accept-Language": "en"})
    assert 'lang="vi"' in text_of(answer)
    assert answer["Content-Language"] == "vi"


def test_a_changed_token_and_one_of_another_purpose_do_nothing(scene: Scene) -> None:
    owner = scene.users.owner
    url = _path(_mail_of_failure(scene, owner))
    token = url.split("/")[2]
    parts = [owner.pk, "flows", scene.users.workspace.pk, FLOW]
    signed = signing.Signer(salt="another purpose").sign_object(parts)
    other_key = signing.Signer(key="k" * 50, salt="notification_mails.unsubscribe").sign_object(parts)
    body, _, signature = token.partition(":")
    wrong = [
        token[:-1] + ("a" if token[-1] != "a" else "b"),
        f"{'x' if body[0] != 'x' else 'y'}{body[1:]}:{signature}",
        body,
        f"{body}:",
        signed,
        other_key,
        signing.dumps(parts),
        "x" * 5000,
        "%F0%9F%92%A9",
    ]
    for changed in wrong:
        for method in ("get", "post"):
            answer = getattr(_stranger(), method)(f"/unsubscribe/{changed}/")
            assert answer.status_code == 404, changed
            assert "Price quote" not in _text(answer)
    assert not Mute.objects.exists()


@pytest.mark.parametrize(
    "parts",
    [
        ["someone", "flows", 1, FLOW],
        [1, "everything", 0, ""],
        [987654, "notes", 0, ""],
        ["flows"],
        {"user": 1},
        None,
        [1, "flows", 0, FLOW],
        [1, "flows", 987654, FLOW],
    ],
)
def test_a_signed_link_of_a_kind_that_is_none_does_nothing(scene: Scene, parts: Any) -> None:
    if isinstance(parts, list) and parts[0] == 1:
        parts = [scene.users.owner.pk, *parts[1:]]
    token = signing.Signer(salt="notification_mails.unsubscribe").sign_object(parts)
    assert _stranger().post(f"/unsubscribe/{token}/", ONE_CLICK).status_code == 404
    assert not Mute.objects.exists()


def test_fields_and_a_session_of_somebody_else_change_nothing_about_whose_mails_end(scene: Scene) -> None:
    owner = scene.users.owner
    url = _path(_mail_of_failure(scene, owner))
    other = Client(enforce_csrf_checks=True)
    other.force_login(scene.users.colleague)
    foreign = {"user": scene.users.colleague.pk, "topic": "access", "workspace": "", "everyone": "yes", "until": "x"}
    other.post(f"{url}?topic=access&user={scene.users.colleague.pk}", ONE_CLICK | foreign)
    assert [(row.user, row.topic) for row in Mute.objects.all()] == [(owner, Topic.FLOWS)]


def test_old_links_of_people_who_left_or_are_deactivated_do_no_harm_and_tell_nothing(scene: Scene) -> None:
    owner = scene.users.owner
    url = _path(_mail_of_failure(scene, owner))
    Member.objects.filter(user=owner).delete()
    Watch.objects.update(name="Renamed since")
    for answer in (_stranger().get(url), _stranger().post(url, ONE_CLICK)):
        page = _text(answer)
        assert answer.status_code == 200
        assert "Notifications from a workspace that you cannot open any more" in page
        assert "Renamed" not in page
        assert "Sales" not in page
    User.objects.filter(pk=owner.pk).update(is_active=False)
    assert _stranger().post(url, {"undo": "1"}).status_code == 404
    assert Mute.objects.count() == 1


def test_a_link_of_a_workspace_that_is_gone_does_nothing(scene: Scene) -> None:
    owner, gone = person("somebody"), workspace("gone")
    url = unsubscribe.url(owner, Scope(Topic.FLOWS, gone.pk, FLOW)).removeprefix("https://console.example.com")
    gone.delete()
    assert _stranger().post(url, ONE_CLICK).status_code == 404


def test_a_workspace_with_a_second_step_names_no_flow_to_who_has_only_the_link(scene: Scene) -> None:
    url = _path(_mail_of_failure(scene, scene.users.owner))
    Workspace.objects.update(second_factor_required=True)
    page = _text(_stranger().get(url))
    assert "Failures and alarms of one flow in “Sales”" in page
    assert "Price quote" not in page


def test_a_name_with_markup_and_line_breaks_is_shown_as_text(scene: Scene) -> None:
    owner = scene.users.owner
    watching.start_watching(
        owner, scene.users.workspace, WatchKind.FLOW, FLOW, "<script>x</script>\r\nBcc: a@b.c" * 500
    )
    _fail(scene)
    letter = _mailed()
    assert "Bcc" not in str(letter.message().keys())
    page = text_of(_stranger().get(_path(letter)))
    assert "<script>x" not in page
    assert "&lt;script&gt;x" in page
