"""What a page shows of earlier values, and what comes back from it when it is sent as it is: through real HTML, as a browser reads it."""

from html.parser import HTMLParser
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.template.loader import render_to_string
from hypothesis import example, given, settings

from tests.launch_forms import golden
from tests.launch_forms.filled import publish, sent
from tests.launch_forms.test_proposing import JSON, same
from tests.launches.launch_scene import Scene
from workflows_ui.form_schema import checking
from workflows_ui.form_schema.document import Column, Field, FieldKind, Form
from workflows_ui.launch_forms.forms import posted
from workflows_ui.launch_forms.forms.fields import FormView
from workflows_ui.launch_forms.proposal.proposing import propose

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")


class Browser(HTMLParser):
    """Reads the controls of a page and keeps what a browser would send."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.sent: dict[str, list[str]] = {}
        self._area = self._select = ""
        self._text: list[str] | None = None
        self._options: list[tuple[str, bool]] = []

    def read(self, page: str) -> dict[str, list[str]]:
        """What is sent; a parser sees `\\r` as a new line and NUL as a sign of its own."""
        self.feed(page.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "\ufffd"))
        self.close()
        return self.sent

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        known = {name: value or "" for name, value in attrs}
        if tag == "input":
            self._input(known)
        elif tag == "textarea":
            self._area, self._text = known["name"], []
        elif tag == "select":
            self._select, self._options = known["name"], []
        elif tag == "option" and self._select:
            self._options.append((known.get("value", ""), "selected" in known))

    def handle_data(self, data: str) -> None:
        if self._text is not None:
            self._text.append(data)

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea" and self._text is not None:
            text = "".join(self._text).removeprefix("\n").replace("\n", "\r\n")
            self._send(self._area, text)
            self._text = None
        elif tag == "select" and self._select:
            chosen = next((value for value, selected in self._options if selected), self._options[0][0])
            self._send(self._select, chosen)
            self._select = ""

    def _input(self, known: dict[str, str]) -> None:
        kind = known.get("type", "text")
        if kind == "file" or (kind in ("radio", "checkbox") and "checked" not in known):
            return
        value = known.get("value", "")
        if kind not in ("radio", "checkbox", "hidden"):
            value = value.replace("\n", "")
        self._send(known["name"], value.strip() if kind in ("email", "url") else value)

    def _send(self, name: str, value: str) -> None:
        self.sent.setdefault(name, []).append(value)


def through_a_page(form: Form, payload: Any) -> Any:
    """What is sent when a page filled from a payload is sent as it is."""
    form = posted.launchable(form)
    shown = FormView(form, checking.initial(form, payload, zone=ZONE))
    data = Browser().read(render_to_string("launch_forms/fields.html", {"form_view": shown, "live": True}))
    checked = checking.Checked(form, posted.tidied(form, data, {}), zone=ZONE)
    assert checked.errors == {}
    return checked.payload


@pytest.mark.slow
@given(payload=JSON)
@example(payload={"a": "\n\nstarts with new lines", "b": "<b>&amp;</b> \"'"})
@example(payload={"rows": [{"a": "x\ny", "b": True}, {"a": "\n", "b": False}], "list": ["<", "&lt;", " "]})
@settings(max_examples=150)
def test_a_page_filled_from_any_payload_sends_it_unchanged(payload: Any) -> None:
    assert same(through_a_page(propose(payloads=[payload]), payload), payload)


SOURCES = {name: source for name, source in golden.sources().items() if source[1]}


@pytest.mark.parametrize("name", sorted(SOURCES))
def test_a_page_of_a_known_flow_sends_what_was_sent_to_it_before(name: str) -> None:
    tree, payloads, samples = SOURCES[name]
    form = propose(tree, payloads, samples)
    for payload in (payloads[0], payloads[-1]):
        assert same(through_a_page(form, payload), payload)


def test_a_table_of_some_thousand_cells_is_sent(scene: Scene) -> None:
    columns = tuple(Column(f"c{number}", f"c{number}") for number in range(6))
    form = Form((Field("rows", ("rows",), kind=FieldKind.TABLE, columns=columns),))
    flow = publish(scene, form)
    cells = {f"rows[{row}][c{number}]": f"{row}" for row in range(400) for number in range(6)}
    payload = sent(scene, flow, cells)
    assert len(payload["rows"]) == 400
    assert payload["rows"][-1] == {f"c{number}": "399" for number in range(6)}
