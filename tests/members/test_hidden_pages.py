"""A workspace says which pages launchers see: the others do not exist for them, and nothing leads there."""

import re
from collections.abc import Iterator

import pytest

from tests.attacks.looking import steps
from tests.stub_engine import identity
from tests.web import matrix
from tests.web.filled_workspace import Furnished, furnish, once
from tests.web.matrix import Address
from workflows_ui.audit.models import AuditEvent
from workflows_ui.members.models import Workspace
from workflows_ui.members.services import launcher_pages
from workflows_ui.members.services.access import page_of
from workflows_ui.resource_admin import places
from workflows_ui.web import links, navigation

SETTINGS = "/w/sales/settings/"
PAGES = list(navigation.hideable())


def hide(*pages: str) -> None:
    Workspace.objects.filter(slug="sales").update(hidden_pages=list(pages))


@pytest.fixture(scope="module")
def stage(django_db_setup: None, django_db_blocker: object) -> Iterator[Furnished]:
    with once(django_db_blocker) as stub_engine:
        yield furnish(stub_engine)


@pytest.fixture(autouse=True)
def _all_shown_at_the_end(stage: Furnished) -> Iterator[None]:
    yield
    hide()


def hideable(address: Address, stage: Furnished) -> str:
    """The page that an address belongs to, if it can be hidden."""
    page = page_of(address.url(stage.sales, "launcher"))
    return page if page in navigation.hideable() else ""


@pytest.mark.slow
@pytest.mark.django_db
def test_hidden_pages_and_all_addresses_below_do_not_exist_for_launchers(stage: Furnished) -> None:
    tried = set()
    for address in matrix.addresses():
        page = hideable(address, stage)
        if not page:
            continue
        tried.add(page)
        hide(page)
        found = matrix.measure(stage, address, ["launcher"])
        assert found == {"launcher": "404"}, address.label
    assert tried == set(PAGES)


@pytest.mark.parametrize("hidden", [frozenset(), frozenset({"flows", "pieces"})])
def test_a_link_to_a_hidden_page_is_empty_and_one_without_an_id_always(hidden: frozenset[str]) -> None:
    token = links.hidden_pages.set(hidden)
    found = [
        places.list_url("sales", "flows", status="ENABLED"),
        places.flows_url("sales", "F"),
        places.flow_url("sales", "F"),
        places.choose_app_url("sales", "F", step="step_1"),
        places.connect_url("sales", "@activepieces/piece-x"),
        places.subpage_url("flow_launch_rights", "sales", {"id": "F"}),
    ]
    without_id = [
        places.flows_url("sales", ""),
        places.flow_url("sales", None),
        places.connect_url("sales", ""),
        places.subpage_url("flow_launch_rights", "sales", {"id": "a/b"}),
        places.step_url("", "step_1"),
        places.step_url("/w/sales/flows/F/", ""),
    ]
    links.hidden_pages.reset(token)
    assert [bool(url) for url in found] == [not hidden] * len(found)
    assert not any(without_id)
    assert places.step_url("/w/sales/flows/F/", "step 1") == "/w/sales/flows/F/steps/step%201/"


@pytest.mark.django_db
def test_hidden_pages_stay_for_viewers_and_builders(stage: Furnished) -> None:
    hide(*PAGES)
    for who in ("viewer", "builder", "manager"):
        for address in ("/w/sales/flows/", "/w/sales/credentials/", "/w/sales/jobs/"):
            assert stage.browsers[who].get(address).status_code == 200, (who, address)


@pytest.mark.django_db
def test_what_an_export_and_notes_hold_is_hidden_with_its_page(stage: Furnished) -> None:
    browser, own = stage.browsers["launcher"], stage.sales.own["launcher"]
    addresses = (f"/w/sales/jobs/{own['export']}/file/", f"/w/sales/notes/flows/{identity(1)}/")
    for address in addresses:
        assert browser.get(address).status_code == 200
    hide("flows")
    for address in addresses:
        assert browser.get(address).status_code == 404
    hide("jobs")
    assert browser.get(addresses[0]).status_code == 200


@pytest.mark.django_db
def test_launching_does_not_need_the_page_of_flows(stage: Furnished) -> None:
    hide(*PAGES)
    page = stage.browsers["launcher"].get(f"/w/sales/flows/{identity(1)}/launch/")
    assert page.status_code == 200


@pytest.mark.slow
@pytest.mark.django_db
@pytest.mark.parametrize("hidden", ["all of them", "runs"])
def test_nothing_leads_to_a_hidden_page(stage: Furnished, hidden: str) -> None:
    pages = PAGES if hidden == "all of them" else [hidden]
    hide(*pages)
    starts = ["/", "/notices/", *(f"/w/sales/search/?q={text}" for text in ("o", "order", "credentials", "key"))]
    leading = {
        f"{step.kind}: {link}"
        for step in steps(stage.browsers["launcher"], starts)
        for link, _target in step.found.links
        if page_of(link) in pages
    }
    assert sorted(leading) == []


@pytest.mark.django_db
def test_a_manager_chooses_the_pages_and_the_log_has_it(stage: Furnished) -> None:
    client = stage.browsers["manager"]
    page = client.get(SETTINGS).content.decode()
    assert re.findall(r'name="hidden_pages"[^>]*value="([\w-]+)"', page) == PAGES
    assert "launches" not in PAGES
    sent = {
        "name": "Sales",
        "launchers_see": "chosen",
        "hidden_pages": ["connections", "tables"],
        "causes_in_notices": "on",
    }
    assert client.post(SETTINGS, sent).status_code == 303
    assert Workspace.objects.get(slug="sales").hidden_pages == ["connections", "tables"]
    row = AuditEvent.objects.filter(action="workspace.change").latest("pk")
    assert row.detail == {"before": {"hidden_pages": []}, "after": {"hidden_pages": ["connections", "tables"]}}
    again = client.get(SETTINGS).content.decode()
    assert re.findall(r'name="hidden_pages"[^>]*value="([\w-]+)"[^>]*checked', again) == ["connections", "tables"]


@pytest.mark.django_db
def test_nothing_but_pages_can_be_hidden(stage: Furnished) -> None:
    answer = stage.browsers["manager"].post(
        SETTINGS, {"name": "Sales", "launchers_see": "chosen", "hidden_pages": ["launches"]}
    )
    assert answer.status_code == 422
    assert Workspace.objects.get(slug="sales").hidden_pages == []


@pytest.mark.django_db
def test_a_preset_hides_its_pages_and_every_page_of_the_menu_is_in_one(stage: Furnished) -> None:
    assert set(launcher_pages.PAGES) == set(PAGES)
    runs = {"credentials", "runs", "failures", "report"}
    for preset, shown in [("launching", {"credentials"}), ("runs", runs), ("everything", set(PAGES))]:
        sent = {"name": "Sales", "launchers_see": preset, "hidden_pages": ["jobs"], "causes_in_notices": "on"}
        assert stage.browsers["manager"].post(SETTINGS, sent).status_code == 303
        assert set(PAGES) - set(Workspace.objects.get(slug="sales").hidden_pages) == shown
        page = stage.browsers["manager"].get(SETTINGS).content.decode()
        assert re.findall(r'name="launchers_see"[^>]*value="(\w+)"[^>]*checked', page) == [preset]
