"""What the inputs on the page of a field hold when it is opened."""

from dataclasses import replace
from typing import Any

from workflows_ui.forming.document import NOTHING, Field, Form, Kind, PieceChoices, TableChoices, When, Why
from workflows_ui.forms import field_values
from workflows_ui.forms.field_making import APP, EMPTY, FILLED, HIDDEN, TABLE, TYPED, shown_size


def of(field: Field, form: Form, kind: Kind) -> dict[str, Any]:
    """What the inputs hold for a field."""
    value = field.hidden_value if field.hidden else field.default
    names = [one.name for one in form.fields]
    position = names.index(field.name) + 1 if field.name in names else len(names) + 1
    found: dict[str, Any] = {
        "where": ".".join(field.path),
        "label": field.label,
        "kind": field.kind.value,
        "help": field.help,
        "example": field.example,
        "required": field.required,
        "start": HIDDEN if field.hidden else EMPTY if field.default is NOTHING else FILLED,
        "value": field_values.text_of(value, replace(field, kind=kind)),
        "source": TYPED,
        "other": field.other,
        "group": field.group,
        "position": position,
        "folded": field.folded,
        "searchable": field.searchable,
        "blank": field.blank.value,
        "moment": field.moment.value,
        "item": field.item.value,
        "accept": ", ".join(field.accept),
        "max_size": shown_size(field.max_size) if field.max_size else None,
    }
    limits = field.limits
    found |= {name: getattr(limits, name) for name in ("low", "high", "min_length", "max_length", "least", "most")}
    found |= {"pattern": limits.pattern, "pattern_words": limits.pattern_words}
    if isinstance(field.choices_from, TableChoices):
        found |= {"source": TABLE, "table": field.choices_from.table_id}
        found |= {"table_label": field.choices_from.label_field, "table_value": field.choices_from.value_field}
    elif isinstance(field.choices_from, PieceChoices):
        found |= {"source": APP, "option": option_key(field.choices_from)}
    if field.show_if is not None:
        other = form.field(field.show_if.field)
        found |= {"rule_field": field.show_if.field, "rule_test": field.show_if.test.value}
        value = field.show_if.value
        there = replace(other, kind=Kind.CHOICE) if other and other.kind is Kind.CHOICES else other
        compared = there is not None and field.show_if.test in {When.IS, When.IS_NOT}
        found["rule_value"] = field_values.text_of(value, there) if compared and there is not None else ""
    return found


def own_place(field: Field) -> bool:
    """Whether its builder chose where its value goes, and may choose anew: nothing that the flow reads brought it into the form."""
    return (
        bool(field.path)
        and field.why == Why()
        and all(part.strip() == part and part and "." not in part for part in field.path)
    )


def option_key(found: PieceChoices) -> str:
    """How a field of an app is named in the page."""
    return f"{found.step} {found.property}"
