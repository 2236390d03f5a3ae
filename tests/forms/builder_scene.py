"""A flow with a launch form that tests of the builder start from."""

from typing import Any

from tests.shelf import identity
from workflows_ui.forming.document import Choice, Field, Form, Kind, Why
from workflows_ui.models import LaunchForm, User
from workflows_ui.services import access, launch_forms
from workflows_ui.services.audit import Actor

FLOW = identity(1)
BASE = f"/w/sales/flows/{FLOW}/form/"
FORM = Form(
    (
        Field("customer.name", ("customer", "name"), required=True, why=Why(("Send the offer",), 48, 50, 3)),
        Field("amount", ("amount",), kind=Kind.NUMBER),
        Field(
            "channel",
            ("channel",),
            label="Channel",
            kind=Kind.CHOICE,
            choices=(Choice("By mail", "mail"), Choice("Zalo", 7)),
        ),
    )
)


def place(user: User) -> access.Access:
    """A person's place in workspace `sales`."""
    return access.find(user, "sales")


def saved(user: User, form: Form = FORM) -> LaunchForm:
    """The form as the draft."""
    row = launch_forms.of(place(user).workspace, FLOW)
    lock = row.lock if row else None
    return launch_forms.save(Actor(user), place(user), FLOW, "Order intake", form, lock=lock)


def published(user: User, form: Form = FORM) -> LaunchForm:
    """The form as a published version, and no draft."""
    row = saved(user, form)
    launch_forms.publish(Actor(user), place(user), FLOW, lock=row.lock)
    return now(user)


def now(user: User) -> LaunchForm:
    """The row as it is."""
    row = launch_forms.of(place(user).workspace, FLOW)
    assert row is not None
    return row


def draft(user: User) -> Form:
    """The draft as it is."""
    found = launch_forms.draft_of(now(user))
    assert found is not None
    return found


def filled(page: Any) -> dict[str, Any]:
    """What the page of a field holds when it is opened, as a browser would send it."""
    editor = page.context["editor"]
    found: dict[str, Any] = {"lock": page.context["lock"], "kept": list(page.context["field"].path)}
    for name in editor.fields:
        value = editor[name].value()
        if value is True:
            value = "on"
        if value not in (None, False):
            found[name] = value
    found |= {
        f"choice_{part}": [getattr(row, part) for row in editor.choice_rows]
        for part in ("label", "value", "sort", "was")
    }
    found |= {
        f"column_{part}": [getattr(row, part) for row in editor.column_rows]
        for part in ("name", "key", "label", "kind", "choices")
    }
    found["column_required"] = [str(number) for number, row in enumerate(editor.column_rows) if row.required]
    return found
