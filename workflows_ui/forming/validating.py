"""Values against JSON Schema, by the jsonschema library, with its findings in words for people."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from functools import lru_cache
from typing import Any

from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from jsonschema import Draft202012Validator, ValidationError
from jsonschema.validators import extend

from workflows_ui.forming import patterns
from workflows_ui.forming.document import Field, Form, Kind
from workflows_ui.forming.schema_out import to_schema, value_schema


def _pattern(_validator: Any, pattern: str, value: Any, _schema: Any) -> Iterator[ValidationError]:
    # The library's own would search with Python's engine, which a pattern can keep busy for years.
    if isinstance(value, str) and not patterns.matches(_whole(pattern), value):
        yield ValidationError("does not match")


@lru_cache(maxsize=500)
def _whole(pattern: str) -> str:
    return patterns.from_search(pattern)


#: Draft 2020-12 as the library has it, with a matcher for patterns that is never slow. Formats were looked at before, by kind.
_Validator = extend(Draft202012Validator, {"pattern": _pattern})  # type: ignore[no-untyped-call]


def of_value(field: Field, value: Any) -> str:
    """What is wrong with a filled field's value, in words; "" where nothing is."""
    if field.kind is Kind.DATE:
        problem = _day_outside(field, value)
        if problem:
            return problem
    error = next(_Validator(value_schema(field)).iter_errors(value), None)
    return _words(field, error) if error is not None else ""


def of_payload(form: Form, payload: Any) -> str:
    """What is wrong with a whole body that came of good fields, in words; "" where nothing is, as always but for a mistake of ours."""
    inner = Form(tuple(field for field in form.fields if field.kind is not Kind.FILE))
    error = next(_Validator(to_schema(inner)).iter_errors(payload), None)
    if error is None:
        return ""
    place = " › ".join(str(key) for key in error.absolute_path)[:200]
    return _("What would be sent does not fit this form, at “%(place)s”. Tell the person who made the form.") % {
        "place": place
    }


def accepts(form: Form, payload: Any) -> bool:
    """Whether a payload fits the form's schema."""
    return bool(_Validator(to_schema(form)).is_valid(payload))


def _day_outside(field: Field, value: Any) -> str:
    low, high = field.limits.low, field.limits.high
    if isinstance(low, str) and value < low:
        return _("The first possible day is %(day)s.") % {"day": _day(low)}
    if isinstance(high, str) and value > high:
        return _("The last possible day is %(day)s.") % {"day": _day(high)}
    return ""


def _day(text: str) -> str:
    return date_format(date.fromisoformat(text), "DATE_FORMAT")


def _words(field: Field, error: ValidationError) -> str:
    limit: Any = error.validator_value
    counted = {
        "minLength": lambda: ngettext("Type at least %(limit)s letter.", "Type at least %(limit)s letters.", limit),
        "maxLength": lambda: ngettext("Type at most %(limit)s letter.", "Type at most %(limit)s letters.", limit),
        "minItems": lambda: ngettext("At least %(limit)s is needed.", "At least %(limit)s are needed.", limit),
        "maxItems": lambda: ngettext("At most %(limit)s is possible.", "At most %(limit)s are possible.", limit),
        "minimum": lambda: _("The smallest possible number is %(limit)s."),
        "maximum": lambda: _("The largest possible number is %(limit)s."),
    }
    words = counted.get(str(error.validator))
    if words is not None:
        return str(words() % {"limit": limit})
    if error.validator == "pattern":
        said = field.limits.pattern_words
        if said:
            return _("What is needed here: %(words)s") % {"words": said}
        return _("This does not have the form that is asked for.")
    return _("This does not fit.")
