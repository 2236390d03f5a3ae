"""A form proposed over HTTP from what a flow reads, what it lacks later, and what its page says about it."""

from typing import Any

import pytest
from django.test import Client

from tests.launch_forms import builder_scene as scene
from tests.launch_forms.builder_scene import BASE, FLOW
from tests.stub_engine import StubEngine, flow, identity, text
from tests.users import Users
from workflows_ui.audit.services.audit_log import Actor
from workflows_ui.form_schema.document import Field, FieldKind, Form
from workflows_ui.launch_forms.services import launch_forms
from workflows_ui.members.models import Member, Role


def reading(*references: str, **changes: Any) -> dict[str, Any]:
    """A flow with one code step that reads these values."""
    whole = flow(**changes)
    inputs = {f"input_{number}": f"{{{{trigger['body']{one}}}}}" for number, one in enumerate(references)}
    step = {"name": "step_1", "type": "CODE", "displayName": "Send the offer", "settings": {"input": inputs}}
    whole["version"]["trigger"]["nextAction"] = step
    return whole


@pytest.fixture(autouse=True)
def _flow(stub_engine: StubEngine) -> None:
    stub_engine.flows = [reading("['amount']", "['customer']['mail']")]
    stub_engine.rows["/trigger-events"] = []


def test_a_whole_form_is_proposed_by_one_button(owner: Client, users: Users) -> None:
    answer = owner.post(f"{BASE}propose/", {"lock": "", "whole": "yes"})
    assert answer.status_code == 303
    assert [field.path for field in scene.draft(users.owner).fields] == [("amount",), ("customer", "mail")]
    page = text(owner.get(BASE).content)
    assert "Read by Send the offer" in page
    assert "does not fit the flow" not in page


def test_only_what_is_ticked_is_taken_and_the_rest_is_offered_again(owner: Client, users: Users) -> None:
    page = owner.get(f"{BASE}propose/")
    assert [line["path"] for line in page.context["lines"]] == ["amount", "customer › mail"]
    owner.post(f"{BASE}propose/", {"lock": "", "take": page.context["lines"][0]["key"]})
    assert [field.path for field in scene.draft(users.owner).fields] == [("amount",)]
    again = owner.get(f"{BASE}propose/")
    assert [line["path"] for line in again.context["lines"]] == ["customer › mail"]
    assert again.context["ticked"] == set(), "it was left out on purpose"
    nothing = owner.post(f"{BASE}propose/", {"lock": 1})
    assert nothing.status_code == 422
    assert "Select at least one field." in text(nothing.content)


def test_runs_with_odd_markers_are_read_too(owner: Client, stub_engine: StubEngine) -> None:
    body = {"headers": {}, "method": "POST", "body": {"colour": "red"}}
    shared = {"flowId": FLOW, "created": "2026-01-01T00:00:00.000Z", "steps": {"trigger": {"output": body}}}
    stub_engine.runs = [shared | {"id": identity(5), "parentRunId": []}, shared | {"id": {}, "parentRunId": {}}]
    page = owner.get(f"{BASE}propose/")
    assert [line["path"] for line in page.context["lines"]] == ["amount", "customer › mail", "colour"]


def test_what_the_form_lacks_is_ticked(owner: Client, users: Users) -> None:
    scene.saved(users.owner, Form((Field("amount", ("amount",)),)))
    page = owner.get(f"{BASE}propose/")
    assert page.context["ticked"] == {page.context["lines"][0]["key"]}


def test_a_removed_field_comes_back(owner: Client, users: Users) -> None:
    owner.post(f"{BASE}propose/", {"lock": "", "whole": "yes"})
    owner.post(f"{BASE}change/", {"lock": 1, "take-out": "amount"})
    page = owner.get(f"{BASE}propose/")
    owner.post(f"{BASE}propose/", {"lock": 2, "take": page.context["lines"][0]["key"]})
    assert [field.name for field in scene.draft(users.owner).fields] == ["customer.mail", "amount"]


def test_what_launchers_have_now_can_be_taken_back_as_it_was(owner: Client, users: Users) -> None:
    form = Form((Field("own", ("own",), label="Made by hand", kind=FieldKind.DATE), Field("amount", ("amount",))))
    scene.published(users.owner, form)
    scene.saved(users.owner, form.without("own"))
    page = owner.get(f"{BASE}propose/")
    assert [(line["field"].shown_label, line["before"]) for line in page.context["lines"]] == [
        ("Made by hand", True),
        ("Mail", False),
    ]
    owner.post(f"{BASE}propose/", {"lock": page.context["lock"], "take": page.context["lines"][0]["key"]})
    assert scene.draft(users.owner).field("own") == form.field("own")


def test_a_second_tab_loses_nothing_and_is_warned(owner: Client, users: Users) -> None:
    page = owner.get(f"{BASE}propose/")
    scene.saved(users.owner, Form((Field("amount", ("amount",)),)))
    answer = owner.post(f"{BASE}propose/", {"lock": "", "take": [line["key"] for line in page.context["lines"]]})
    assert answer.status_code == 422
    assert "owner changed this form meanwhile" in text(answer.content)
    assert [line["path"] for line in answer.context["lines"]] == ["customer › mail"]


def test_a_flow_that_reads_something_else_is_shown_to_builders_on_both_pages(
    owner: Client, users: Users, stub_engine: StubEngine
) -> None:
    owner.post(f"{BASE}propose/", {"lock": "", "whole": "yes"})
    launch_forms.publish(Actor(users.owner), scene.place(users.owner), FLOW, lock=1)
    stub_engine.flows = [reading("['amount']", "['phone']")]
    for url in (BASE, f"/w/sales/flows/{FLOW}/?tab=form"):
        page = text(owner.get(url).content)
        assert "This form does not fit the flow" in page
        assert "The form lacks “phone”, which is read by: Send the offer." in page
        assert "“Mail” is not read by any step any more." in page


def test_what_a_builder_leaves_out_is_not_reported_as_lacking(
    owner: Client, users: Users, stub_engine: StubEngine
) -> None:
    owner.post(f"{BASE}propose/", {"lock": "", "whole": "yes"})
    owner.post(f"{BASE}change/", {"lock": 1, "take-out": "amount"})
    assert "does not fit the flow" not in text(owner.get(BASE).content)
    stub_engine.flows = [reading("['amount']", "['customer']['mail']", "['phone']")]
    assert "The form lacks “phone”" in text(owner.get(BASE).content)
    assert owner.post(f"{BASE}propose/", {"lock": 2, "leave": "yes"}).status_code == 303
    assert "does not fit the flow" not in text(owner.get(BASE).content)
    assert [line["path"] for line in owner.get(f"{BASE}propose/").context["lines"]] == ["amount", "phone"]


def test_what_runs_counts_and_not_a_newer_draft(owner: Client, users: Users, stub_engine: StubEngine) -> None:
    owner.post(f"{BASE}propose/", {"lock": "", "whole": "yes"})
    whole = reading("['amount']", "['customer']['mail']", publishedVersionId="V0")
    stub_engine.flows = [whole]
    owner.get(BASE)
    assert {"versionId": ["V0"]} in stub_engine.queries(f"/flows/{FLOW}")


@pytest.mark.parametrize("role", Role)
def test_the_flows_page_leads_builders_to_the_form(client: Client, users: Users, role: Role) -> None:
    Member.objects.filter(user=users.colleague).update(role=role)
    client.force_login(users.colleague)
    builds, address = role.includes(Role.BUILDER), f"/w/sales/flows/{FLOW}/"
    assert ('?tab=form"' in text(client.get(address).content)) is builds
    assert ("Create a launch form" in text(client.get(f"{address}?tab=form").content)) is builds


def test_without_the_engine_a_proposal_says_so(owner: Client, stub_engine: StubEngine) -> None:
    stub_engine.flows = []
    assert owner.get(f"{BASE}propose/").status_code in (404, 502)


def test_a_flow_that_reads_nothing_says_so(owner: Client, stub_engine: StubEngine) -> None:
    stub_engine.flows = [flow()]
    assert "It is not known what this flow reads" in text(owner.get(f"{BASE}propose/").content)
