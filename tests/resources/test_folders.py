"""Folders: counts that lead to the flows, making one that is there already, and where the flows of a deleted one go."""

from typing import Any

from tests import flows
from tests.stage import Stage, lead
from tests.stub_engine import text

NEW = "/w/sales/folders/do/new/"


def url(action: str, folder_id: str) -> str:
    return f"/w/sales/folders/do/{action}/{folder_id}/"


def made(stage: Stage, name: str = "Angebote") -> str:
    return str(stage.session.workflows.create_folder(name)["id"])


def put(stage: Stage, folder: str, *names: str) -> list[str]:
    found = []
    for name in names:
        flow = flows.make(stage.session.workflows, name)
        move: dict[str, Any] = {"type": "CHANGE_FOLDER", "request": {"folderId": folder}}
        stage.session.workflows.apply_flow_operation(flow, move)
        found.append(flow)
    return found


def test_the_count_leads_to_the_flows_in_it(stage: Stage) -> None:
    folder = made(stage)
    put(stage, folder, "One", "Two")
    page = text(stage.browser.get("/w/sales/folders/?rows=100").content)
    assert f'<a href="/w/sales/flows/?folder={folder}">2</a>' in page
    shown = text(stage.browser.get(f"/w/sales/folders/{folder}/").content)
    assert ">One</a>" in shown
    assert ">Two</a>" in shown


def test_a_new_folder_is_made_and_offered_to_flows_at_once(stage: Stage) -> None:
    stage.browser.get("/w/sales/flows/")
    answer = stage.browser.post(NEW, {"name": "Angebote"})
    page = text(stage.browser.get(lead(answer)).content)
    assert "The folder “Angebote” was created." in page
    assert "Angebote" in text(stage.browser.get("/w/sales/flows/").content)


def test_a_folder_that_is_there_already_is_shown_and_not_called_new(stage: Stage) -> None:
    folder = made(stage)
    answer = stage.browser.post(NEW, {"name": "ANGEBOTE"})
    assert lead(answer) == f"/w/sales/folders/{folder}/"
    page = text(stage.browser.get(lead(answer)).content)
    assert "There is already a folder “Angebote”, shown here: no second one was created." in page
    assert "“Angebote” was created." not in page


def test_a_folder_is_renamed_and_a_taken_name_refused_at_the_form(stage: Stage) -> None:
    folder = made(stage)
    made(stage, "Taken")
    stage.browser.post(url("rename", folder), {"name": "Offers"})
    assert stage.session.workflows.get_folder(folder)["displayName"] == "Offers"
    answer = stage.browser.post(url("rename", folder), {"name": "taken"})
    assert answer.status_code == 422
    assert "There is a folder of this name already." in text(answer.content)
    assert 'value="taken"' in text(answer.content)


def test_deleting_names_the_flows_that_end_up_in_no_folder(stage: Stage) -> None:
    folder = made(stage)
    inside = put(stage, folder, "One", "Two <b>")
    page = text(stage.browser.get(url("delete", folder)).content)
    assert "2 flows are in it. They stay, and are in no folder afterwards:" in page
    assert ">One</a>" in page
    assert ">Two &lt;b&gt;</a>" in page
    assert "Delete the folder “Angebote”" in page
    answer = stage.browser.post(url("delete", folder), {"sure": "yes"})
    assert lead(answer) == "/w/sales/folders/"
    assert [stage.session.workflows.get_flow(flow)["folderId"] for flow in inside] == [None, None]


def test_deleting_an_empty_folder_says_that_nothing_is_in_it(stage: Stage) -> None:
    assert "No flow is in it." in text(stage.browser.get(url("delete", made(stage))).content)
