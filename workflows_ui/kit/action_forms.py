"""The form of a declared action: made, checked, and told without its secrets. One object or many, on a page or at work, it is the same."""

import inspect
import json
from collections.abc import Mapping
from typing import Any

from django import forms
from django.core.exceptions import NON_FIELD_ERRORS
from django.core.files.uploadedfile import UploadedFile
from django.utils.datastructures import MultiValueDict
from django.utils.translation import gettext as _

from workflows_ui.kit import redact
from workflows_ui.kit.action_log import KEPT, clean
from workflows_ui.kit.actions import Action, Row
from workflows_ui.kit.caller import Caller


def fresh(action: Action, caller: Caller, row: Row, asked: Mapping[str, Any] | None = None) -> forms.Form:
    """The action's form with its first values, some of which `asked` may name. Raises EngineError where the form asks the engine."""
    kind, named = _named(action, caller, row, asked or {})
    form = kind(**named)
    form.initial.update({name: asked[name] for name in form.fields if asked and name in asked})
    return form


def bound(
    action: Action,
    caller: Caller,
    row: Row,
    data: Mapping[str, Any],
    files: MultiValueDict[str, Any] | None = None,
) -> forms.Form:
    """The action's form with what was typed. Raises EngineError where the form asks the engine."""
    kind, named = _named(action, caller, row, data)
    return kind(data, files, **named)


def _named(
    action: Action, caller: Caller, row: Row, asked: Mapping[str, Any]
) -> tuple[type[forms.Form], dict[str, Any]]:
    kind = action.form or forms.Form
    wanted = inspect.signature(kind.__init__).parameters
    given: dict[str, Any] = {"caller": caller, "row": row, "asked": asked}
    more = {name: value for name, value in given.items() if name in wanted}
    if action.initial is not None:
        more["initial"] = action.initial(row)
    return kind, more


def holds(form: forms.Form) -> bool:
    """Whether the form holds; a mask that stood for a secret must not be written over the secret."""
    form.is_valid()
    for name, value in list(getattr(form, "cleaned_data", {}).items()):
        if redact.MASK in str(value) and not isinstance(value, UploadedFile):
            form.add_error(name, _("This holds a hidden secret, which the console does not have. Type it anew."))
    return not form.errors


def blame(form: forms.Form, problem: forms.ValidationError) -> None:
    """Puts an error at its field, or at the top where the form has no such field."""
    found = problem.error_dict if hasattr(problem, "error_dict") else {NON_FIELD_ERRORS: problem.error_list}
    for name, errors in found.items():
        form.add_error(name if name in form.fields else None, errors)


def secret(form: forms.Form, action: Action) -> set[str]:
    """Names of the fields whose values come back to no page."""
    hidden = {name for name, field in form.fields.items() if isinstance(field.widget, forms.PasswordInput)}
    return hidden | action.secrets


def told(form: forms.Form, action: Action) -> dict[str, Any]:
    """What was typed, as the audit log may hold it: secrets masked, files by name and size, long texts cut."""
    hidden = secret(form, action) | getattr(form, "discreet", frozenset())
    found: dict[str, Any] = {}
    for name, value in form.cleaned_data.items():
        if name in hidden:
            found[name] = redact.MASK if value not in (None, "") else ""
        elif isinstance(value, UploadedFile):
            found[name] = f"{clean(value.name or '')} ({value.size} B)"
        elif isinstance(value, bool | int | float) or value is None:
            found[name] = value
        else:
            masked = redact.step(value)
            plain = masked if isinstance(masked, str) else json.dumps(masked, default=str, ensure_ascii=False)
            found[name] = clean(plain)[:KEPT]
    return found
