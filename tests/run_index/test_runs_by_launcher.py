"""The list of runs by who launched them: a filter and an order, with a run index and without one, for builders and for others."""

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from tests.run_index.index_scene import everything, read_all, start
from tests.stage import Stage, stage
from workflows_ui.accounts.models import User
from workflows_ui.core.random_id import new_id
from workflows_ui.launches.models import Launch
from workflows_ui.members.models import Role

__all__ = ["stage"]
pytestmark = [pytest.mark.django_db, pytest.mark.parametrize("stage", ["activepieces"], indirect=True)]
RUNS = "/w/sales/runs/"


def launched(stage: Stage, user: User, run_id: str, number: int) -> None:
    """A launch that led to a run."""
    at = timezone.now() - timedelta(minutes=number)
    row = stage.practice.engine.state.runs[run_id]
    Launch.objects.create(
        workspace=stage.users.workspace,
        user=user,
        ticket=new_id(),
        flow_id=row["flowId"],
        run_id=run_id,
        payload_digest="d",
        asked_at=at,
        not_before=at,
        send_by=at,
    )


@pytest.fixture
def shared_out(stage: Stage) -> tuple[list[str], list[str]]:
    """Three runs that the owner launched, and two of the colleague's."""
    listed = [run for run in everything(stage) if not stage.practice.engine.state.runs[run]["archivedAt"]]
    owners, colleagues = listed[:3], listed[3:5]
    for number, run_id in enumerate(owners):
        launched(stage, stage.users.owner, run_id, number)
    for number, run_id in enumerate(colleagues):
        launched(stage, stage.users.colleague, run_id, number)
    return owners, colleagues


def rows(client: Client, query: str) -> list[str]:
    """The runs of the page, in its order."""
    content = client.get(RUNS + query).content.decode()
    return re.findall(r'<td class="[^"]*first[^"]*"[^>]*><a href="/w/sales/runs/(\w+)/', content)


@pytest.mark.slow
@pytest.mark.parametrize("indexed", [True, False])
def test_builders_choose_whose_runs_are_listed(
    stage: Stage, shared_out: tuple[list[str], list[str]], indexed: bool
) -> None:
    owners, colleagues = shared_out
    if indexed:
        start(stage)
        read_all(stage)
    assert set(rows(stage.browser, f"?person={stage.users.owner.pk}")) == set(owners)
    assert set(rows(stage.browser, f"?person={stage.users.colleague.pk}")) == set(colleagues)
    assert rows(stage.browser, f"?person={stage.users.stranger.pk}") == []
    assert rows(stage.browser, "?person=x") == []
    status = stage.practice.engine.state.runs[owners[0]]["status"]
    same = {run for run in owners if stage.practice.engine.state.runs[run]["status"] == status}
    assert set(rows(stage.browser, f"?person={stage.users.owner.pk}&status={status}")) == same
    page = stage.browser.get(RUNS).content.decode()
    assert f'<option value="{stage.users.colleague.pk}">{stage.users.colleague.label}</option>' in page


@pytest.mark.slow
@pytest.mark.parametrize("indexed", [True, False])
def test_others_find_their_own_launches_only_and_are_offered_nobody_else(
    stage: Stage, shared_out: tuple[list[str], list[str]], indexed: bool
) -> None:
    if indexed:
        start(stage)
        read_all(stage)
    launcher = stage.as_role(Role.LAUNCHER)
    me = User.objects.get(pk=launcher.session["_auth_user_id"])
    assert me != stage.users.owner
    own = rows(launcher, f"?person={me.pk}")
    assert set(own) == {row.run_id for row in Launch.objects.filter(user=me)}
    for other in {stage.users.owner, stage.users.colleague} - {me}:
        response = launcher.get(f"{RUNS}?person={other.pk}")
        assert rows(launcher, f"?person={other.pk}") == []
        assert f">{other.label}</option>" not in response.content.decode()
    assert f'<option value="{me.pk}">You</option>' in launcher.get(RUNS).content.decode()


@pytest.mark.slow
@pytest.mark.both_databases
def test_an_index_sorts_by_the_launchers_name_and_leaves_the_others_for_the_end(
    stage: Stage, shared_out: tuple[list[str], list[str]]
) -> None:
    owners, colleagues = shared_out
    start(stage)
    read_all(stage)
    names = {stage.users.owner.label: set(owners), stage.users.colleague.label: set(colleagues)}
    for query, downwards in (("?sort=launcher", False), ("?sort=-launcher", True)):
        first, second = (names[name] for name in sorted(names, reverse=downwards))
        found = rows(stage.browser, query)
        assert set(found[: len(first)]) == first
        assert set(found[len(first) : 5]) == second


def test_without_an_index_a_persons_runs_are_paged(stage: Stage) -> None:
    listed = [run for run in everything(stage) if not stage.practice.engine.state.runs[run]["archivedAt"]][:27]
    for number, run_id in enumerate(listed):
        launched(stage, stage.users.owner, run_id, number)
    first = stage.browser.get(f"{RUNS}?person={stage.users.owner.pk}")
    later = rows(stage.browser, first.context["pages"].older_url.removeprefix(RUNS))
    assert rows(stage.browser, f"?person={stage.users.owner.pk}") == listed[:20]
    assert later == listed[20:]
