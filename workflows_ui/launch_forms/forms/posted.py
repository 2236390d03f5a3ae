"""Posted launch forms: typed texts by control, checked values, and uploaded files."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from typing import TypeVar

from django import forms
from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, QueryDict
from django.utils import timezone
from django.utils.translation import gettext as _, gettext_lazy, ngettext

from workflows_ui.core import clock, formats, json_text, redaction
from workflows_ui.core.secret_names import MASK, masks, names_secret
from workflows_ui.engine import Upload
from workflows_ui.form_schema import checking, values
from workflows_ui.form_schema.checking import Checked, Data, cell_name, rows_of
from workflows_ui.form_schema.document import BadValue, Choice, Field, FieldKind, Form, key_of
from workflows_ui.launch_forms.messages import size
from workflows_ui.launches.services import files as launch_files
from workflows_ui.launches.services.launches import LONGEST_KEPT
from workflows_ui.web import upload_limit

Line = TypeVar("Line")
#: Live choices by field, without fields whose choices could not be loaded.
Options = Mapping[str, Sequence[Choice]]


@dataclass(frozen=True)
class PostedForm:
    """A posted form with its checked values, the files to send, and messages by control, including those of files."""

    checked: Checked
    files: tuple[Upload, ...]
    errors: Mapping[str, str]

    @property
    def mask_errors(self) -> dict[str, str]:
        """Errors by field for values that contain a mask instead of a secret, which must not be sent."""
        inner = _("A value that shows dots was a secret. Enter it again, or leave it out.")
        whole = _("This contains a hidden secret. Enter it again.")
        masked = {name for name, value in self.checked.sent.items() if masks(value)}
        fields = (field for field in self.checked.form.fields if field.name in masked)
        return {field.name: inner if field.kind is FieldKind.JSON else whole for field in fields}

    @property
    def as_sent(self) -> str:
        """The payload of a form without errors, as JSON for display, secrets masked."""
        return json_text.pretty(redaction.step(checking.masked(self.checked.form, self.checked.payload, MASK)))

    def searchable(self) -> Iterator[tuple[str, str, str]]:
        """The inputs to store in plain text for the search of launches: field name, label, text."""
        for field in self.checked.form.fields:
            if field.searchable and not field.hidden and field.name in self.checked.sent and not holds_secret(field):
                value = self.checked.sent[field.name]
                texts = [key_of(item) for item in value] if isinstance(value, list) else [key_of(value)]
                labels = {key_of(choice.value): choice.label for choice in field.choices}
                yield field.name, field.shown_label, ", ".join(labels.get(text) or text for text in texts)


def typed(request: HttpRequest, form: Form, options: Options) -> dict[str, Sequence[str]]:
    """The typed texts by control, with a line or row added or removed if its button was pressed."""
    data = tidied(form, dict(request.POST.lists()), options)
    if changes_lines(request):
        return with_lines(form, data, add=request.POST.get("_add", ""), remove=request.POST.get("_remove", ""))
    return data


def changes_lines(request: HttpRequest) -> bool:
    """Whether the form was posted to add or remove a line or row."""
    return "_add" in request.POST or "_remove" in request.POST


def check(request: HttpRequest, form: Form, data: Data, options: Options) -> PostedForm:
    """Check the typed texts and the files."""
    uploads = uploaded(request)
    zone = timezone.get_current_timezone()
    checked = Checked(form, data, files=uploads, options=options, zone=zone)
    files: list[Upload] = []
    errors: dict[str, str] = {}
    total_size = 0
    for field in (field for field in form.fields if field.kind is FieldKind.FILE):
        upload = uploads.get(field.name) if checked.shown[field.name] else None
        most = min(field.max_size or settings.LAUNCH_FILE_BYTES, settings.LAUNCH_FILES_BYTES)
        total_size += (upload and upload.size) or 0
        if field.name in upload_limit.skipped(request) or (upload and (upload.size or 0) > most):
            errors[field.name] = _("Choose a smaller file: at most %(size)s.") % {"size": size(most)}
        elif upload is not None:
            try:
                files.append(_attachment(field, upload, total_size, len(files)))
            except BadValue as problem:
                errors[field.name] = str(problem)
    return PostedForm(checked, tuple(files), {**checked.errors, **errors})


def field_errors(request: HttpRequest, form: Form, data: Data, name: str) -> dict[str, str]:
    """Messages by control for the one field that was left, "" where nothing is wrong. None for fields that only sending can judge.

    For a number that can be written differently, `<name>=` is how it was understood.

    Those are files and secrets, which are not posted for this, and live choices, which would have to be loaded.
    """
    field = form.field(name)
    if field is None or field.kind in (FieldKind.FILE, FieldKind.SECRET) or field.choices_from is not None:
        return {}
    checked = check(request, Form((replace(field, show_if=None),)), data, {})
    errors = {**checked.mask_errors, **checked.errors}
    controls = [cell_name(field, number, column) for number, _texts in rows_of(field, data) for column in field.columns]
    understood = values.understood(field, "".join(data.get(name, ())))
    found = {control: errors.get(control, "") for control in (name, *controls)}
    return found | ({f"{name}=": understood} if understood else {})


def _attachment(field: Field, upload: "UploadedFile[bytes]", total_size: int, number: int) -> Upload:
    """The file to send. Its kind is checked in form_schema/checking.py. Raises BadValue.

    Args:
        total_size: bytes of this file and the previous ones.
        number: the number of previous files.
    """
    if total_size > settings.LAUNCH_FILES_BYTES or number >= launch_files.MOST_FILES:
        limits = {"size": size(settings.LAUNCH_FILES_BYTES), "count": launch_files.MOST_FILES}
        raise BadValue(_("All files together are too large: at most %(count)s files, %(size)s in all.") % limits)
    name, data = launch_files.clean_name(upload.name or ""), upload.read()
    extension = launch_files.file_extension(name)
    if launch_files.has_wrong_content(name, data):
        text = _("This file is not a %(kind)s, although its name says so. Choose another.")
        raise BadValue(text % {"kind": extension.upper()})
    content_type = launch_files.CONTENT_TYPES.get(extension, "application/octet-stream")
    return Upload(field.path[0], name, content_type, data)


def uploaded(request: HttpRequest) -> dict[str, "UploadedFile[bytes]"]:
    """The uploaded files of a request by field name; the last one if a name is repeated."""
    return {name: upload for name, upload in request.FILES.items() if isinstance(upload, UploadedFile)}


def choices_of(field: Field, options: Options) -> Sequence[Choice] | None:
    """The current choices of a field; None if they could not be loaded."""
    return options.get(field.name) if field.choices_from is not None else field.choices


def launchable(form: Form) -> Form:
    """The form with only the file fields that can be sent: others become URL fields.

    A file has to be the value of a top-level key of the body (engine/multipart.py).
    """
    return replace(
        form,
        fields=tuple(
            replace(field, kind=FieldKind.URL, accept=(), max_size=None)
            if field.kind is FieldKind.FILE and len(field.path) != 1
            else field
            for field in form.fields
        ),
    )


def tidied(form: Form, data: Data, options: Options) -> dict[str, Sequence[str]]:
    """The submitted data, with rows of tables numbered without gaps, and with labels of choices from a search replaced by values."""
    changed = dict(data)
    for field in form.fields:
        if field.kind is FieldKind.TABLE:
            changed = _with_rows(field, changed, _rows(field, changed))
        choices = choices_of(field, options)
        if field.kind is FieldKind.CHOICE and choices and field.name in changed:
            keys = {text: key for key, text in labels_of(choices).items()}
            known = {key_of(choice.value) for choice in choices}
            changed[field.name] = [text if text in known else keys.get(text, text) for text in changed[field.name]]
    return changed


def with_lines(form: Form, data: dict[str, Sequence[str]], *, add: str, remove: str) -> dict[str, Sequence[str]]:
    """The tidied data with one more line or row of the field `add`, or without the one named by `remove` (`field:number`)."""
    name, _, number = remove.rpartition(":")
    field = form.field(add or name)
    if field is None or field.kind not in (FieldKind.LIST, FieldKind.TABLE):
        return data
    if field.kind is FieldKind.TABLE:
        return _with_rows(field, data, _changed(_rows(field, data), {} if add else None, number))
    return data | {field.name: _changed(data.get(field.name, ()), "" if add else None, number)}


def _changed(lines: Sequence[Line], added: Line | None, removed: str) -> list[Line]:
    """The lines with one more, or without the one of a number."""
    return [line for at, line in enumerate(lines) if str(at) != removed] if added is None else [*lines, added]


def _rows(table: Field, data: Data) -> list[dict[str, str]]:
    return [texts for _number, texts in rows_of(table, data)]


def _with_rows(table: Field, data: Data, rows: Sequence[Mapping[str, str]]) -> dict[str, Sequence[str]]:
    """The data with these rows of a table instead of its own."""
    others = {name: texts for name, texts in data.items() if not name.startswith(f"{table.name}[")}
    cells = (
        (cell_name(table, at, column), texts.get(column.name, ""))
        for at, texts in enumerate(rows)
        for column in table.columns
    )
    return others | {name: [text] for name, text in cells}


def typed_secrets(form: Form, data: Data) -> set[str]:
    """The names of secret fields with typed values, which are not displayed again."""
    return {field.name for field in form.fields if field.kind is FieldKind.SECRET and any(data.get(field.name, ()))}


def holds_secret(field: Field) -> bool:
    """Whether a field holds a secret, by its kind or by its name in the payload."""
    return field.kind is FieldKind.SECRET or any(map(names_secret, field.path))


def labels_of(choices: Sequence[Choice]) -> dict[str, str]:
    """Labels by the control's text; equal labels are distinguished by their values."""
    counted = Counter(choice.label or key_of(choice.value) for choice in choices)
    labels = {}
    for choice in choices:
        key = key_of(choice.value)
        label = choice.label or key
        labels[key] = label if counted[label] == 1 else f"{label} ({key})"
    return labels


class KeepForm(forms.Form):
    """Whether a launch is kept while the engine does not answer, and until when at the latest.

    Its controls begin with "_", as those of a launch form that are no fields. `until` is a moment, as the person saw it: what "in one
    hour" means does not depend on when the form is sent.
    """

    keep = forms.BooleanField(label=gettext_lazy("Send it as soon as the engine is back"), required=False)
    until = forms.CharField(
        label=gettext_lazy("At the latest by"),
        required=False,
        max_length=40,
        widget=forms.Select(
            {"class": "form-select", "id": "keep-until", "aria-describedby": "keep-until-help keep-until-error"}
        ),
    )

    def __init__(self, data: QueryDict | None = None) -> None:
        super().__init__(data)
        now = timezone.now()
        choices = _keep_choices(now)
        posted = clock.parse_time(self.data.get("_until", ""))
        if posted is not None and now < posted <= now + LONGEST_KEPT and posted not in choices:
            choices = {posted: formats.minute(posted)} | choices
        widget = self.fields["until"].widget
        assert isinstance(widget, forms.Select)  # noqa: S101
        widget.choices = [(moment.isoformat(), label) for moment, label in choices.items()]

    def add_prefix(self, field_name: str) -> str:
        return f"_{field_name}"

    def clean(self) -> dict[str, object]:
        """Check that the time is not over."""
        cleaned = super().clean() or {}
        moment, now = clock.parse_time(cleaned.get("until", "")), timezone.now()
        if cleaned.get("keep") and (moment is None or not now < moment <= now + LONGEST_KEPT):
            self.add_error("until", _("That time has passed. Choose another one."))
        return cleaned

    @property
    def keep_until(self) -> datetime | None:
        """The time that was chosen in the valid form; None if the launch is not to be kept."""
        return clock.parse_time(self.cleaned_data["until"]) if self.cleaned_data["keep"] else None


def _keep_choices(now: datetime) -> dict[datetime, str]:
    """The times that are offered, in the person's time zone: the end of today's and the start of tomorrow's work if they are to come."""
    today = timezone.localdate(now)
    choices: dict[datetime, str] = {}
    for hours in (1, 4):
        moment = now.replace(second=0, microsecond=0) + timedelta(hours=hours)
        name = ngettext("In %(n)d hour (%(time)s)", "In %(n)d hours (%(time)s)", hours)
        choices[moment] = name % {"n": hours, "time": formats.minute(moment)}
    evening = timezone.make_aware(datetime.combine(today, time(18)))
    if evening > now + timedelta(minutes=15):
        choices[evening] = _("Today, 18:00")
    choices[timezone.make_aware(datetime.combine(today + timedelta(days=1), time(9)))] = _("Tomorrow, 09:00")
    return choices
