"""Line ends where a header is made of somebody's words: mails, downloads, redirects, the request's id, the log."""

from email import message_from_string
from typing import Any

import pytest
from django.core import mail
from django.test import Client
from django.utils import timezone

from tests import mailbox
from tests.engine.servers import Reply
from tests.members.inviting import invite
from tests.resources.samples import sample_for
from tests.stub_engine import StubEngine, flow, identity, run
from tests.users import Users
from workflows_ui.accounts.models import User
from workflows_ui.members.models import Workspace
from workflows_ui.notification_mails import mail as notification_mail
from workflows_ui.notifications.models import Notice, NoticeKind
from workflows_ui.resources import RESOURCES

LINES = [
    "x\r\nBcc: everybody@evil.example",
    "x\nBcc: everybody@evil.example",
    "x\rSet-Cookie: a=b",
    "x\r\n\r\n<html>",
    "x\u2028Bcc: a@evil.example",
    "x\x0bBcc: a",
    "x%0d%0aBcc: a",
    "x\x00y",
]


def sound(message: Any) -> None:
    """A mail with the headers that we make and no others, to one person."""
    parsed = message_from_string(message.message().as_string())
    assert set(parsed.keys()) <= {
        "Content-Type",
        "MIME-Version",
        "Content-Transfer-Encoding",
        "Subject",
        "From",
        "To",
        "Date",
        "Message-ID",
        "List-Unsubscribe",
        "List-Unsubscribe-Post",
    }
    assert message.recipients() == message.to
    assert len(message.to) == 1
    assert "\n" not in message.subject
    assert "\r" not in message.subject


@pytest.mark.parametrize("line", LINES, ids=repr)
def test_no_name_puts_a_header_into_a_mail(users: Users, line: str) -> None:
    name = line.replace("\0", "")
    User.objects.filter(pk=users.owner.pk).update(first_name=name, last_name=name)
    Workspace.objects.update(name=name[:60])
    assert invite(users).status_code == 200
    sound(mail.outbox[0])
    about = dict.fromkeys(("flow", "name", "person", "credential", "step", "workspace", "state"), name)
    for kind in NoticeKind:
        row = Notice(
            pk=1,
            user=users.owner,
            workspace=users.workspace,
            kind=kind,
            url="/w/sales/",
            about=about,
            created_at=timezone.now(),
        )
        sound(notification_mail.build_mail(row))


@pytest.mark.parametrize(
    "address",
    [
        "a@example.com\r\nBcc: b@evil.example",
        "a@example.com,b@evil.example",
        "a@example.com b@evil.example",
        '"a\r\nBcc: b"@example.com',
        "a@example.com\0",
    ],
)
def test_no_address_names_a_second_reader(users: Users, address: str) -> None:
    assert invite(users, email=address).status_code == 422
    Client().post("/accounts/password/reset/", {"email": address})
    mailbox.carry()
    assert mail.outbox == []


@pytest.mark.parametrize("line", LINES, ids=repr)
def test_no_name_puts_a_header_into_a_download(users: Users, owner: Client, stub_engine: StubEngine, line: str) -> None:
    name = line + '"; filename="evil.html'
    stub_engine.flows, stub_engine.runs = [flow(1, name)], [run(flowVersion={"displayName": name})]
    stub_engine.faults["/template"] = Reply(200, {"name": name, "template": {"displayName": name, "trigger": {}}})
    tables = next(one for one in RESOURCES if one.name == "tables")
    sample_for(tables).fill(stub_engine, name)
    stub_engine.faults["/export"] = Reply(200, {"name": name, "fields": [], "rows": []})
    stub_engine.rows["/fields"] = []
    stub_engine.arrays.add("/fields")
    for path in (
        f"/w/sales/runs/{identity(1)}/file/",
        f"/w/sales/flows/{identity(1)}/export/",
        f"/w/sales/tables/{identity(1)}/export/csv/",
    ):
        answer = owner.get(path)
        assert answer.status_code in {200, 503}, path
        for header, value in answer.headers.items():
            assert not set(value) & set("\r\n\0"), header
        if answer.status_code == 200:
            said = answer["Content-Disposition"]
            assert said.startswith("attachment")
            assert 'filename="evil' not in said.replace('\\"', "")
            assert answer["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    "line",
    [
        "abcdefgh\r\nSet-Cookie: a=b",
        "abcdefgh\nx",
        "<script>alert(1)</script>",
        "a" * 5_000,
        "abcdefgh\u2028x",
        "",
        "{{7*7}}abcdefgh",
    ],
)
@pytest.mark.sampled(3)
def test_an_invalid_request_id_is_replaced(users: Users, owner: Client, line: str) -> None:
    answer = owner.get("/profile/", headers={"X-Request-ID": line})
    assert answer["X-Request-ID"] != line
    assert len(answer["X-Request-ID"]) == 16


@pytest.mark.parametrize("line", LINES, ids=repr)
def test_no_redirect_takes_a_header_along(users: Users, line: str) -> None:
    browser = Client()
    for path in ("/preferences/language/", "/preferences/theme/"):
        answer = browser.post(path, {"next": f"/profile/{line}", "language": "en"})
        for header, value in answer.headers.items():
            assert not set(value) & set("\r\n\0"), header
        assert set(browser.cookies) <= {"django_language", "theme", "csrftoken"}
