"""A long job is announced when it is over; one whose list went only partly well says so in its badge."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from tests.launches.launch_scene import Scene, text_of
from workflows_ui.jobs.models import ItemState, Job, JobItem, JobKind, JobState
from workflows_ui.launches.services import watching
from workflows_ui.members.models import Member
from workflows_ui.notifications import services as notifications

pytestmark = pytest.mark.both_databases


def _job(scene: Scene, *, took: int = 60, state: JobState = JobState.ENDED, kind: JobKind = JobKind.BULK) -> Job:
    now = timezone.now()
    return Job.objects.create(
        workspace=scene.users.workspace,
        user=scene.users.owner,
        kind=kind,
        resource="flows",
        action="turn-off",
        state=state,
        asked_at=now - timedelta(seconds=took),
        ended_at=now,
    )


def _item(job: Job, state: ItemState) -> JobItem:
    return JobItem.objects.create(job=job, position=job.items.count(), object_id=f"o{job.items.count()}", state=state)


def test_a_long_job_is_reported_once_with_what_failed(scene: Scene) -> None:
    job = _job(scene)
    _item(job, ItemState.DONE)
    _item(job, ItemState.FAILED)
    watching.find_news()
    watching.find_news()
    [notice] = notifications.visible_notifications(scene.users.owner)
    assert notice.url == f"/w/sales/jobs/{job.pk}/"
    page = text_of(scene.sign_in(scene.users.owner).get("/notices/"))
    assert "Your bulk action is finished" in page
    assert "1 item failed." in page


def test_jobs_that_were_reported_cost_the_next_look_nothing(scene: Scene) -> None:
    def queries() -> int:
        watching.find_news()
        with CaptureQueriesContext(connection) as asked:
            watching.find_news()
        return len(asked)

    _job(scene)
    with_one = queries()
    for _ in range(3):
        _job(scene)
    assert queries() == with_one


def test_a_quick_job_is_no_news_and_an_export_has_its_own_page(scene: Scene) -> None:
    _job(scene, took=2)
    export = _job(scene, kind=JobKind.EXPORT)
    watching.find_news()
    [notice] = notifications.visible_notifications(scene.users.owner)
    assert notice.url == f"/w/sales/jobs/{export.pk}/export/"


def test_a_job_of_which_something_failed_does_not_look_as_if_all_were_well(scene: Scene) -> None:
    well, partly = _job(scene), _job(scene)
    _item(well, ItemState.DONE)
    _item(partly, ItemState.UNCLEAR)
    owner = scene.sign_in(scene.users.owner)
    page = text_of(owner.get("/w/sales/jobs/"))
    assert page.count("Finished, not all succeeded") == 1
    assert "Finished, not all succeeded" in text_of(owner.get(f"/w/sales/jobs/{partly.pk}/"))
    assert "Finished, not all succeeded" not in text_of(owner.get(f"/w/sales/jobs/{well.pk}/"))


def test_the_list_of_jobs_leads_to_older_ones_and_back(scene: Scene) -> None:
    made = [_job(scene, took=number).pk for number in range(30)]
    browser = scene.sign_in(scene.users.owner)
    first = browser.get("/w/sales/jobs/")
    older = browser.get(first.context["pages"].older_url)
    assert [line["id"] for line in [*first.context["lines"], *older.context["lines"]]] == made
    assert first.context["pages"].text == "1–20 of 30"
    back = browser.get(older.context["pages"].newer_url)
    assert [line["id"] for line in back.context["lines"]] == made[:20]
    assert browser.get("/w/sales/jobs/?at=nonsense").context["lines"][0]["id"] == made[0]


def test_who_left_the_workspace_hears_nothing_of_their_job(scene: Scene) -> None:
    job = _job(scene)
    Member.objects.filter(user=job.user).delete()
    watching.find_news()
    assert not notifications.visible_notifications(scene.users.owner).exists()
