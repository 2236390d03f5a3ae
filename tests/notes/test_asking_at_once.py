"""A question to who can help that is sent twice at the same moment, by a double click say, is one question."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from tests.at_once import meeting
from tests.users import browser, gather, workspace
from workflows_ui.core import clock
from workflows_ui.launches.models import Launch
from workflows_ui.notes.models import Note
from workflows_ui.notifications.models import Notice, NoticeKind

pytestmark = [pytest.mark.both_databases, pytest.mark.django_db(transaction=True)]


def test_a_double_click_on_ask_notifies_once() -> None:
    users, now = gather(workspace("sales"), "secret"), clock.now()
    launch = Launch.objects.create(
        workspace=users.workspace,
        user=users.colleague,
        ticket="t",
        flow_id="f" * 21,
        payload_digest="d",
        asked_at=now,
        not_before=now,
        send_by=now,
    )
    barrier = Barrier(2)

    def ask(_number: int) -> int:
        client = browser(users.colleague)
        with meeting(barrier, lambda sql: sql.startswith("BEGIN") or sql.endswith("FOR UPDATE")):
            return client.post(f"/w/sales/notes/launch/{launch.pk}/ask/", {"text": "Why?"}).status_code

    with ThreadPoolExecutor(2) as threads:
        assert list(threads.map(ask, range(2))) == [303, 303]
    assert Note.objects.count() == 1
    assert Notice.objects.filter(user=users.owner, kind=NoticeKind.NOTE).count() == 1
