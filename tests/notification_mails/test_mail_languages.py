"""Every mail is in its reader's language: no line of a Vietnamese mail is English, and the page that causes a mail does not decide."""

import re
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from django.conf import settings
from django.core import mail
from django.template.loader import render_to_string
from django.test import Client
from django.utils import translation

from tests.users import Users
from workflows_ui.accounts import password_mail
from workflows_ui.accounts.models import User
from workflows_ui.notification_mails import mail as notification_mail
from workflows_ui.notifications.models import Notice, NoticeKind

FOLDER = settings.BASE_DIR / "templates"
TEMPLATES = sorted(
    str(file.relative_to(FOLDER)) for file in FOLDER.glob("*/email/*.txt") if not file.name.startswith("base_")
)
#: Values have no letters, so that equal lines with letters are texts that were not translated.
VALUE = "10:42"
MOMENT = datetime(2026, 3, 10, 3, 42, tzinfo=UTC)
NAMED = SimpleNamespace(label=VALUE, name=VALUE, username=VALUE)
CONTEXT: dict[str, Any] = {
    **dict.fromkeys(("role", "until", "link", "ip", "user_agent", "username", "from_email", "to_email"), VALUE),
    **dict.fromkeys(("console_url", "activate_url", "password_reset_url"), VALUE),
    "row": SimpleNamespace(invited_by=NAMED, workspace=NAMED),
    "user": NAMED,
    "timestamp": MOMENT,
}


def _same_lines(english: str, vietnamese: str) -> set[str]:
    """The lines with letters that both have, without addresses of the web."""
    texts = [re.sub(r"https?://\S+", "", text).splitlines() for text in (english, vietnamese)]
    return {line for line in set(texts[0]) & set(texts[1]) if re.search(r"[^\W\d_]", line)}


def test_the_templates_of_mails_are_found() -> None:
    assert {name.split("/")[0] for name in TEMPLATES} == {"account", "members", "mfa"}


@pytest.mark.parametrize("template", TEMPLATES)
def test_no_line_of_a_mail_stays_english(template: str) -> None:
    texts = []
    for language in ("en", "vi"):
        with translation.override(language):
            texts.append(render_to_string(template, CONTEXT))
    assert texts[0].strip()
    assert _same_lines(*texts) == set()


@pytest.fixture
def readers(users: Users) -> tuple[User, User]:
    """The same person with English and with Vietnamese."""
    return tuple(User(pk=users.owner.pk, email="1@2.3", language=language) for language in ("en", "vi"))  # type: ignore[return-value]


def _notice(user: User, users: Users, kind: str, **values: Any) -> Notice:
    about: dict[str, Any] = dict.fromkeys(("flow", "step", "name", "by", "email", "address", "into"), VALUE)
    about |= {"state": "failed", "failed": 2, "days": 2, "most": 3, "until": "2026-03-10T03:42:00Z"}
    about |= values.pop("about", {})
    identity = {"pk": 1, "user": user, "workspace": users.workspace, "kind": kind}
    return Notice(**identity, url="/1/", about=about, created_at=MOMENT, **values)


@pytest.mark.parametrize("kind", NoticeKind.values)
@pytest.mark.parametrize(
    "about", [{}, {"granted": True, "moved": True, "ended": False, "job": "export", "address": ""}]
)
def test_no_line_of_a_notifications_mail_stays_english(
    users: Users, readers: tuple[User, User], kind: str, about: dict[str, Any]
) -> None:
    _compare(users, readers, [{"kind": kind, "about": about}])


def test_no_line_of_a_digest_stays_english(users: Users, readers: tuple[User, User]) -> None:
    failures = {"kind": NoticeKind.FLOW_FAILED, "count": 3, "last_at": MOMENT}
    unclear = failures | {"about": {"state": "unknown", "step": ""}}
    every_kind = [{"kind": kind} for kind in NoticeKind]
    _compare(users, readers, [failures])
    _compare(users, readers, [unclear])
    _compare(users, readers, [failures, unclear, *every_kind * 6])


def test_no_line_of_a_mail_without_details_stays_english(users: Users, readers: tuple[User, User]) -> None:
    users.workspace.second_factor_required = True
    _compare(users, readers, [{"kind": NoticeKind.FLOW_FAILED}])


def _compare(users: Users, readers: tuple[User, User], rows: list[dict[str, Any]]) -> None:
    users.workspace.name = VALUE
    letters = [notification_mail.build_mail(*(_notice(reader, users, **row) for row in rows)) for reader in readers]
    assert _same_lines(*(f"{letter.subject}\n{letter.body}" for letter in letters)) == set()


def test_a_mail_about_a_new_password_is_in_the_persons_language_not_in_that_of_the_page(users: Users) -> None:
    person = users.colleague
    person.set_password("before-before-before")
    person.language = "vi"
    person.save()
    address = re.search(r"/accounts/password/reset/key/\S+", str(password_mail.build_mail(person, "en").body))
    assert address is not None
    browser = Client(headers={"Accept-Language": "en"})
    page = browser.get(address[0], follow=True)
    assert "Choose a new password" in page.content.decode()
    new = "quite-another-password-27"
    browser.post(page.request["PATH_INFO"], {"password1": new, "password2": new})
    person.refresh_from_db()
    assert person.check_password(new)
    [letter] = mail.outbox
    assert letter.subject == "Mật khẩu của bạn cho bảng điều khiển luồng đã được đổi"
