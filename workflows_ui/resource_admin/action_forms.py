"""Building, validating and logging the form of a declared action, for one object on a page or many in a job."""

import inspect
import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, TypedDict

from django import forms
from django.core.exceptions import NON_FIELD_ERRORS
from django.core.files.uploadedfile import UploadedFile
from django.utils.datastructures import MultiValueDict
from django.utils.translation import gettext as _

from workflows_ui.core import redaction
from workflows_ui.core.form_arguments import FormArguments
from workflows_ui.core.secret_names import names_secret
from workflows_ui.credentials.services.engine_session import EngineSession
from workflows_ui.lists.declaration import Row
from workflows_ui.resource_admin.action_log import KEPT, clean
from workflows_ui.resource_admin.actions import Action, Affected

#: The field for the person's reason, in a workspace that asks for one.
REASON = "change_reason"


class Changes(TypedDict, total=False):
    """What an action changes about an object: the logged values before and after, by name."""

    before: dict[str, object]
    after: dict[str, object]


def unbound(action: Action, session: EngineSession, row: Row, asked: Mapping[str, object] | None = None) -> forms.Form:
    """The form with its initial values, some possibly from `asked`. Raises EngineError if it calls the engine.

    A link may come from anybody: it fills in the fields that the form lists as `addressed`; without such a list, those that are seen.
    """
    form = _build(action, session, row, asked or {})
    addressed: Collection[str] | None = getattr(form, "addressed", None)
    for name, field in form.fields.items():
        if asked and name in asked and (not field.widget.is_hidden if addressed is None else name in addressed):
            form.initial[name] = asked[name]
    return form


def bound(
    action: Action,
    session: EngineSession,
    row: Row,
    data: Mapping[str, object],
    files: MultiValueDict[str, Any] | None = None,
    *,
    unmasked: Row | None = None,
) -> forms.Form:
    """The action's form bound to the submitted data. Raises EngineError if the form calls the engine."""
    return _build(action, session, row, data, {"data": data, "files": files}, unmasked=unmasked)


def _build(
    action: Action,
    session: EngineSession,
    row: Row,
    asked: Mapping[str, object],
    submitted: FormArguments | None = None,
    *,
    unmasked: Row | None = None,
) -> forms.Form:
    kind = action.form or forms.Form
    parameters = inspect.signature(kind.__init__).parameters
    available: dict[str, Any] = {"session": session, "row": row, "asked": asked, "unmasked": unmasked}
    arguments = {name: value for name, value in available.items() if name in parameters} | dict(submitted or {})
    if action.initial is not None:
        arguments["initial"] = action.initial(row)
    form = kind(**arguments)
    if session.workspace.reasons_asked and (action.danger or action.stops or (action.bulk is not None and not row)):
        form.fields[REASON] = forms.CharField(
            label=_("Reason"),
            help_text=_("Why you do this. It is in the audit log."),
            max_length=200,
            widget=forms.TextInput(attrs={"autocomplete": "off"}),
        )
    return form


def take_reason(form: forms.Form) -> str:
    """Remove the person's reason from the cleaned data, which are the action's values, and return it; "" if none was asked for."""
    return str(form.cleaned_data.pop(REASON, ""))


def validate(form: forms.Form) -> bool:
    """Whether the form is valid. A mask shown instead of a secret must not overwrite the secret, so it is an error.

    A form may have a method `has_own_mask` (name, value): whether the masks in a valid value are texts of the engine.
    """
    form.is_valid()
    has_own_mask = getattr(form, "has_own_mask", lambda _name, _value: False)
    for name, value in list(getattr(form, "cleaned_data", {}).items()):
        if isinstance(value, UploadedFile) or redaction.MASK not in str(value):
            continue
        if not has_own_mask(name, value):
            text = _("This contains a hidden secret, which the console does not have. Enter it again.")
            form.add_error(name if name in form.fields else None, text)
    return not form.errors


def is_draft(form: forms.Form) -> bool:
    """Whether a form was submitted only to be shown again, such as with one more row: its attribute `draft`, if it has one."""
    draft: bool = getattr(form, "draft", False)
    return draft


def questions(form: forms.Form) -> Sequence[Affected]:
    """What a valid form needs to have confirmed: its attribute `questions`, if it has one."""
    affected: Sequence[Affected] = getattr(form, "questions", ())
    return affected


def add_error(form: forms.Form, problem: forms.ValidationError) -> None:
    """Add an error to its field, or to the whole form if the form has no such field."""
    errors_by_field = problem.error_dict if hasattr(problem, "error_dict") else {NON_FIELD_ERRORS: problem.error_list}
    for name, errors in errors_by_field.items():
        form.add_error(name if name in form.fields else None, errors)


def secret_fields(form: forms.Form) -> set[str]:
    """Names of the fields whose values are never sent back to a page."""
    return {name for name, field in form.fields.items() if isinstance(field.widget, forms.PasswordInput)}


def _is_secret(form: forms.Form, name: str, value: object) -> bool:
    """Decided by the field's name or label (for a table's column, the label holds its name). Booleans are never secret."""
    field = form.fields.get(name)
    label = str(field.label or "") if field is not None else ""
    return not isinstance(value, bool) and (names_secret(name) or names_secret(label))


def without_secrets(form: forms.Form, submitted: Iterable[tuple[str, list[str]]]) -> dict[str, list[str]]:
    """The submitted values by name, without those of secret and discreet fields, and without what its name or label calls a secret."""
    hidden = {form.add_prefix(name) for name in secret_fields(form) | getattr(form, "discreet", frozenset())}
    hidden |= {form.add_prefix(name) for name in form.fields if _is_secret(form, name, "")}
    return {name: values for name, values in submitted if name not in hidden and not names_secret(name)}


def logged_values(form: forms.Form) -> dict[str, object]:
    """The submitted values for the audit log: secrets masked, files by name and size, choices with their labels, long texts truncated.

    A discreet value that is not a field was not submitted, but computed from what was: it is left out.
    """
    hidden = secret_fields(form) | getattr(form, "discreet", frozenset())
    values = form.cleaned_data.items()
    return {
        name: _logged(form, name, value, hidden=name in hidden)
        for name, value in values
        if name in form.fields or name not in hidden
    }


def _labels(form: forms.Form, name: str) -> dict[str, str]:
    """The labels of a field's choices, by value."""
    choices = getattr(form.fields.get(name), "choices", ())
    return {str(key): str(label) for key, label in choices if not isinstance(label, list | tuple)}


def _logged(form: forms.Form, name: str, value: object, *, hidden: bool) -> object:
    if hidden or _is_secret(form, name, value):
        return redaction.MASK if value not in (None, "") else ""
    if isinstance(value, UploadedFile):
        return f"{clean(value.name or '')} ({value.size} B)"
    if isinstance(value, bool | int | float) or value is None:
        return value
    label = _labels(form, name).get(value) if value and isinstance(value, str) else None
    # An object has a name that people know, and an id that is certain.
    masked = redaction.step(value if label in (None, value) else f"{label} · {value}")
    plain = masked if isinstance(masked, str) else json.dumps(masked, default=str, ensure_ascii=False)
    return clean(plain)[:KEPT]


def named_changes(action: Action, form: forms.Form, row: Row, data: Mapping[str, object]) -> Changes:
    """`before` and `after` of what an action changes about an object, for the audit log: choices by their labels, not their ids.

    These are the fields with initial values and those in the form's attribute `before`, names by field, and the status. Empty if nothing
    changes.
    """
    if not row or action.creates:
        return {}
    hidden = secret_fields(form) | getattr(form, "discreet", frozenset())
    initial = dict(action.initial(row)) if action.initial is not None else {}
    named: dict[str, str] = getattr(form, "before", {})
    before = {name: _named(form, name, value, hidden) for name, value in initial.items()} | named
    after = {name: _named(form, name, data[name], hidden) for name in before if name in data}
    if action.status_after:
        before["state"], after["state"] = row.get("status"), action.status_after
    changed = [name for name in after if before[name] != after[name]]
    if not changed:
        return {}
    return {"before": {name: before[name] for name in changed}, "after": {name: after[name] for name in changed}}


def _named(form: forms.Form, name: str, value: object, hidden: Collection[str]) -> object:
    """The logged value of a field; the label of a choice."""
    labels = _labels(form, name)
    if isinstance(value, list | tuple) and name not in hidden:
        return clean(", ".join(labels.get(str(part), str(part)) for part in value))[:KEPT]
    return _logged(form, name, labels.get(str(value or ""), value), hidden=name in hidden)
