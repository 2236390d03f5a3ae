"""How many modules a launch passes on its way in, so that somebody who reads about it does not have to open more."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from types import FrameType
from typing import Any

import pytest
from django.utils import timezone

from tests import flows
from tests.launch_forms.filled import hidden, opened, publish
from tests.launches.launch_scene import Scene
from workflows_ui.form_schema.document import Choice, Field, FieldKind, Form
from workflows_ui.launch_forms.views import form_page
from workflows_ui.launches.services import launches

PACKAGES = ("workflows_ui.launch_forms.", "workflows_ui.launches.")
MOST = 12
FORM = Form(
    (
        Field("customer", ("customer", "name"), required=True, searchable=True),
        Field("amount", ("amount",), kind=FieldKind.NUMBER),
        Field("urgent", ("urgent",), kind=FieldKind.YES_NO),
        Field("size", ("size",), kind=FieldKind.CHOICE, choices=(Choice("Small", 1), Choice("Large", 2))),
        Field("door", ("door",), kind=FieldKind.SECRET),
        Field("more", ("more",), kind=FieldKind.JSON),
    )
)
TYPED = {"customer": "An", "amount": "12.5", "urgent": "true", "size": "2", "door": "open sesame", "more": '{"a": 1}'}


@contextmanager
def modules_entered() -> Iterator[list[str]]:
    """The modules of launch forms and launches in which a function is called with what was posted.

    Counted from the moment when the form to fill in is found (form_page.find returns) until the launch is written
    (launches.create returns): not the reading of the form's own document, which is the same whatever is posted, nor the sending
    of the launch, which gets an id.
    """
    found: list[str] = []
    counting = False

    def watch(frame: FrameType, event: str, _argument: Any) -> None:
        nonlocal counting
        if event == "return" and frame.f_code is form_page.page_for.__code__:
            counting = True
        elif event == "return" and frame.f_code is launches.create.__code__:
            counting = False
        elif event == "call" and counting:
            name = str(frame.f_globals.get("__name__", ""))
            if name.startswith(PACKAGES) and name not in found:
                found.append(name)

    before = sys.getprofile()
    sys.setprofile(watch)
    try:
        yield found
    finally:
        sys.setprofile(before)


@pytest.mark.parametrize("kind", ["published", "json"])
def test_a_launch_passes_at_most_twelve_modules_from_the_form_to_its_row(scene: Scene, kind: str) -> None:
    if kind == "published":
        flow = publish(scene, FORM)
        until = timezone.now() + timedelta(hours=1)
        values = {**hidden(opened(scene, flow)), **TYPED, "_keep": "yes", "_until": until.isoformat()}
    else:
        flow = flows.make(scene.workflows, "Quick", flows.code("echo", given="{{trigger.body}}"))
        values = scene.fields(flow) | {"payload": '{"customer": {"name": "An"}}'}
    with modules_entered() as found:
        assert scene.browser.post(scene.url(flow), values).status_code == 303
    assert "workflows_ui.launches.services.launches" in found
    assert len(found) <= MOST, found
