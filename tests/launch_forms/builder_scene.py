"""A flow with a launch form that tests of the builder start from."""

from typing import Any

from tests.stub_engine import identity
from workflows_ui.accounts.models import User
from workflows_ui.audit.services.audit_log import Actor
from workflows_ui.form_schema.document import Choice, Field, FieldKind, Form, Why
from workflows_ui.launch_forms.models import LaunchForm
from workflows_ui.launch_forms.services import launch_forms
from workflows_ui.members.services import access

FLOW = identity(1)
BASE = f"/w/sales/flows/{FLOW}/form/"
FORM = Form(
    (
        Field("customer.name", ("customer", "name"), required=True, why=Why(("Send the offer",), 48, 50, 3)),
        Field("amount", ("amount",), kind=FieldKind.NUMBER),
        Field(
            "channel",
            ("channel",),
            label="Channel",
            kind=FieldKind.CHOICE,
            choices=(Choice("By mail", "mail"), Choice("Zalo", 7)),
        ),
    )
)


def place(user: User) -> access.Access:
    """A person's place in workspace `sales`."""
    return access.access_for(user, "sales")


def saved(user: User, form: Form = FORM) -> LaunchForm:
    """The form as the draft."""
    row = launch_forms.find_form(place(user).workspace, FLOW)
    lock = row.lock if row else None
    return launch_forms.save(Actor(user), place(user), FLOW, "Order intake", form, lock=lock)


def published(user: User, form: Form = FORM) -> LaunchForm:
    """The form as a published version, and no draft."""
    row = saved(user, form)
    launch_forms.publish(Actor(user), place(user), FLOW, lock=row.lock)
    return now(user)


def now(user: User) -> LaunchForm:
    """The row as it is."""
    row = launch_forms.find_form(place(user).workspace, FLOW)
    assert row is not None
    return row


def draft(user: User) -> Form:
    """The draft as it is."""
    found = launch_forms.open_draft(now(user))
    assert found is not None
    return found


def filled(page: Any) -> dict[str, Any]:
    """What the page of a field holds when it is opened, as a browser would send it."""
    editor = page.context["editor"]
    found: dict[str, Any] = {"lock": page.context["lock"], "stored_path": list(page.context["field"].path)}
    for name in editor.fields:
        value = editor[name].value()
        if value is True:
            value = "on"
        if value not in (None, False):
            found[name] = value
    if editor.rows is not None:
        found |= {f"{editor.rows.prefix}-TOTAL_FORMS": len(editor.rows.forms), f"{editor.rows.prefix}-INITIAL_FORMS": 0}
        for row in editor.rows:
            found |= {one.html_name: one.value() for one in row if one.value() not in (None, False)}
    return found
