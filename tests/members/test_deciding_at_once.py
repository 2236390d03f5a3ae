"""An access request that several managers decide at the same moment: one of them does, and the others read who was first."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from tests.accounts.sign_in import text
from tests.at_once import meeting
from tests.users import browser, gather, person, workspace
from workflows_ui.accounts.models import User
from workflows_ui.audit.models import AuditEvent
from workflows_ui.core import formats
from workflows_ui.members.models import AccessRequest, Member, Role
from workflows_ui.notifications.models import Notice, NoticeKind

pytestmark = [pytest.mark.both_databases, pytest.mark.django_db(transaction=True)]


def test_of_three_managers_who_decide_at_once_one_does_and_the_others_read_who_and_when() -> None:
    users = gather(workspace("sales"), "sk-secret")
    managers = [users.owner, person("second"), person("third")]
    for manager in managers[1:]:
        Member.objects.create(workspace=users.workspace, user=manager, role=Role.MANAGER)
    request = AccessRequest.objects.create(workspace=users.workspace, user=users.stranger, link="/w/sales/")
    barrier = Barrier(3)

    def decide(manager: User, how: str, role: str) -> str:
        client = browser(manager)
        url = f"/w/sales/members/requests/{request.pk}/{how}/"
        # After the request was read, and before the workspace is locked.
        with meeting(barrier, lambda sql: sql.startswith("BEGIN") or sql.endswith("FOR UPDATE")):
            answer = client.post(url, {"role": role}, follow=True)
        return text(answer)

    ways = ["grant", "refuse", "grant"]
    with ThreadPoolExecutor(3) as threads:
        pages = list(threads.map(decide, managers, ways, ["viewer", "", "manager"]))
    request.refresh_from_db()
    assert request.decided_by is not None
    assert request.decided_at is not None
    first = managers.index(request.decided_by)
    done = {"grant": "approved", "refuse": "declined"}[ways[first]]
    moment = formats.exact(request.decided_at, seconds=False)
    late = f"Too late: {request.decided_by.label} {done} this request at {moment}."
    assert [late in page for page in pages] == [number != first for number in range(3)]
    assert request.granted is (ways[first] == "grant")
    assert Member.objects.filter(user=users.stranger).exists() is request.granted
    assert AuditEvent.objects.filter(action__startswith="access_request.").count() == 1
    assert Notice.objects.get(user=users.stranger, kind=NoticeKind.ACCESS_DECIDED).about["granted"] is request.granted
