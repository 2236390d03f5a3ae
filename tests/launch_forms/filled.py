"""What tests of launching by a form share: a form is published for a flow, opened, filled in and sent as a browser does."""

import re
from typing import Any

from django.http import HttpResponse
from django.test import Client

from tests import flows
from tests.launches.launch_scene import Scene, text_of, unescape
from workflows_ui.audit.services import audit_log
from workflows_ui.form_schema.document import Form
from workflows_ui.launch_forms.services import launch_forms
from workflows_ui.launches.models import Launch
from workflows_ui.launches.services import launches

ECHO = flows.code("echo", given="{{trigger.body}}")


def publish(scene: Scene, form: Form, *, flow: str = "", name: str = "Orders") -> str:
    """A flow with this form published; gives the flow's id."""
    flow = flow or flows.make(scene.workflows, name, ECHO)
    place = scene.users.place(scene.users.owner)
    row = launch_forms.find_form(scene.users.workspace, flow)
    row = launch_forms.save(audit_log.CONSOLE, place, flow, name, form, lock=row.lock if row else None)
    launch_forms.publish(audit_log.CONSOLE, place, flow, lock=row.lock)
    return flow


def opened(scene: Scene, flow: str, query: str = "", browser: Client | None = None) -> str:
    """The form's page as text."""
    response = (browser or scene.browser).get(scene.url(flow) + query)
    assert response.status_code == 200, text_of(response)
    return unescape(text_of(response))


def hidden(page: str) -> dict[str, str]:
    """The hidden fields of the page's own."""
    return dict(re.findall(r'type="hidden" name="(ticket|_flow|_version|_shape|_again)" value="([^"]*)"', page))


def send(
    scene: Scene, flow: str, values: dict[str, Any], *, page: str = "", browser: Client | None = None
) -> HttpResponse:
    """Sends the form as a browser does; lists are controls of one name, files are open files."""
    page = page or opened(scene, flow, browser=browser)
    answer = (browser or scene.browser).post(scene.url(flow), {**hidden(page), **values})
    assert isinstance(answer, HttpResponse)
    return answer


def sent(scene: Scene, flow: str, values: dict[str, Any]) -> Any:
    """What the launch that comes of these values carries."""
    answer = send(scene, flow, values)
    assert answer.status_code == 303, text_of(answer)
    return launches.open_payload(newest())


def newest() -> Launch:
    """The latest launch."""
    return Launch.objects.order_by("-asked_at")[0]
