"""What a browser sends for a form that shows what it shows: one-line controls without line breaks, others with \\r\\n."""

from workflows_ui.form_schema import checking
from workflows_ui.form_schema.checking import cell_name
from workflows_ui.form_schema.document import Field, FieldKind, Form

_MANY_LINES = (FieldKind.LONG_TEXT, FieldKind.JSON)


def submitted(form: Form, shown: dict[str, checking.Shown]) -> dict[str, list[str]]:
    """The data of a POST."""
    data: dict[str, list[str]] = {}
    for field in form.fields:
        if field.name in shown:
            _control(data, field, shown[field.name])
    return data


def _control(data: dict[str, list[str]], field: Field, value: checking.Shown) -> None:
    if isinstance(value, str):
        data[field.name] = [_sent(value, field.kind)]
        return
    texts = [item for item in value if isinstance(item, str)]
    if field.kind is not FieldKind.TABLE:
        data[field.name] = [_sent(text, FieldKind.TEXT) for text in texts] or [""]
        return
    rows = [row for row in value if isinstance(row, dict)] or [{}]
    for number, row in enumerate(rows):
        for column in field.columns:
            data[cell_name(field, number, column)] = [_sent(row.get(column.name, ""), column.kind)]


def _sent(text: str, kind: FieldKind) -> str:
    if kind in _MANY_LINES:
        return text.replace("\r\n", "\n").replace("\r", "\n").replace("\n", "\r\n")
    return text.replace("\r", "").replace("\n", "")
