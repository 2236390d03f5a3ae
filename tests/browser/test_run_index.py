"""The page of the run index in a browser: it is started, follows the reading without being loaded again, and is ended."""

import re
from datetime import timedelta

import pytest
from django.contrib.auth.models import Group
from django.utils import timezone
from playwright.sync_api import expect

from tests.browser.looks import sound_in_every_look
from tests.browser.windows import Window
from tests.stub_engine import StubEngine
from tests.users import Users
from workflows_ui.audit.services.audit_log import CONSOLE
from workflows_ui.credentials.services import sharing
from workflows_ui.run_index.models import IndexedRun, RunIndex
from workflows_ui.run_index.services import indexes, spans

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.django_db(transaction=True), pytest.mark.timeout(300)]


def test_a_run_index_is_started_watched_and_ended(users: Users, stub_engine: StubEngine, window: Window) -> None:
    page = window(users.owner)
    page.goto("/w/sales/run-index/")
    sound_in_every_look(page)
    sharing.write(users.credential, Group.objects.create(name="Sales team"), users.owner)
    page.goto("/w/sales/settings/")
    page.get_by_role("link", name="Open the run index").click()
    expect(page.get_by_label("Days to keep*", exact=True)).to_have_value("90")
    sound_in_every_look(page)
    page.get_by_role("button", name="Start the run index").click()
    state = page.locator("#run-index-state")
    expect(state).to_have_text("Waiting for the first runs")
    now = timezone.now()
    IndexedRun.objects.create(workspace=users.workspace, run_id="run", created=now)
    past = spans.dump([spans.Span(None, now - timedelta(days=45))])
    RunIndex.objects.update(read_at=now, read_until=now, spans=past)
    expect(state).to_have_text("Reading the past")
    expect(page.get_by_role("progressbar")).to_have_attribute("value", "50")
    sound_in_every_look(page)
    RunIndex.objects.update(spans=[])
    expect(state).to_have_text("Up to date")
    page.get_by_role("link", name="End the run index").click()
    expect(page.get_by_text("1 run is deleted here.")).to_be_visible()
    sound_in_every_look(page)
    page.get_by_role("button", name="End the run index").click()
    expect(page.get_by_role("button", name="Start the run index")).to_be_visible()


def test_a_list_that_refreshes_itself_is_sorted_by_an_address_without_what_the_refreshing_asks(
    users: Users, stub_engine: StubEngine, window: Window
) -> None:
    indexes.start(CONSOLE, users.workspace, users.credential, 90)
    now = timezone.now()
    RunIndex.objects.update(read_at=now, read_until=now)
    for status, took in (("SUCCEEDED", 5), ("RUNNING", -1), ("SUCCEEDED", 700)):
        run = IndexedRun(workspace=users.workspace, run_id=f"run{took}", flow_name=f"Took {took}", status=status)
        run.created, run.duration = now, took
        run.save()
    page = window(users.owner)
    page.goto("/w/sales/runs/")
    expect(page.locator("#results[data-live]")).to_be_visible()
    page.get_by_role("link", name="Duration", exact=True).click()
    expect(page.locator("#results .list-table tbody tr").first).to_contain_text("Took 700")
    expect(page).to_have_url(re.compile(r"/w/sales/runs/\?sort=-length$"))
