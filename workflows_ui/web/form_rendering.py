"""Django's form renderer, with the widgets that pages have many of written in Python: their templates include three others each."""

from collections.abc import Callable, Mapping
from typing import Any, cast

from django import forms
from django.forms.renderers import BaseRenderer, DjangoTemplates
from django.http import HttpRequest
from django.utils.safestring import SafeString

from workflows_ui.web.markup import escaped, joined, markup

_INPUTS = ("text", "number", "hidden", "email", "password", "date", "url", "search", "tel", "checkbox", "file")


def _attributes(attributes: Mapping[str, Any]) -> str:
    shown = ((name, value) for name, value in attributes.items() if value is not False)
    return "".join(
        f" {escaped(name)}" if value is True else f' {escaped(name)}="{escaped(value)}"' for name, value in shown
    )


def _input(widget: Mapping[str, Any]) -> str:
    value = "" if widget["value"] is None else f' value="{escaped(widget["value"])}"'
    name = escaped(widget["name"])
    return f'<input type="{escaped(widget["type"])}" name="{name}"{value}{_attributes(widget["attrs"])}>'


def _textarea(widget: Mapping[str, Any]) -> str:
    value = escaped(widget["value"]) if widget["value"] else ""
    # The first line break belongs to the markup.
    return f'<textarea name="{escaped(widget["name"])}"{_attributes(widget["attrs"])}>\n{value}</textarea>'


def _select(widget: Mapping[str, Any]) -> str:
    parts = [f'<select name="{escaped(widget["name"])}"{_attributes(widget["attrs"])}>']
    for group, options, _index in widget["optgroups"]:
        if group:
            parts.append(f'<optgroup label="{escaped(group)}">')
        parts += [
            f'<option value="{escaped(option["value"])}"{_attributes(option["attrs"])}>'
            f"{escaped(option['label'])}</option>"
            for option in options
        ]
        if group:
            parts.append("</optgroup>")
    return "\n".join([*parts, "</select>"])


def _option(widget: Mapping[str, Any]) -> str:
    """One box of several, with its label unless the page writes that itself."""
    if not widget.get("wrap_label"):
        return _input(widget)
    target = widget["attrs"].get("id")
    opening = f'<label for="{escaped(target)}">' if target else "<label>"
    return f"{opening}{_input(widget)} {escaped(widget['label'])}</label>"


_WIDGETS: dict[str, Callable[[Mapping[str, Any]], str]] = {
    **{f"django/forms/widgets/{name}.html": _input for name in _INPUTS},
    "django/forms/widgets/textarea.html": _textarea,
    "django/forms/widgets/select.html": _select,
    "django/forms/widgets/checkbox_option.html": _option,
    "django/forms/widgets/radio_option.html": _option,
}


class LongSelect(forms.Select):
    """A select field of hundreds of options without groups, for each of which Django makes two dictionaries."""

    def render(
        self, name: str, value: Any, attrs: dict[str, Any] | None = None, renderer: BaseRenderer | None = None
    ) -> SafeString:
        """Return the HTML, the same as Django's except for white space."""
        chosen = self.format_value(value)
        options = (
            (option, SafeString(" selected") if str(option) in chosen else "", label) for option, label in self.choices
        )
        given = SafeString(_attributes(self.build_attrs(self.attrs, attrs)))  # nosec B703
        listed = joined("\n", '<option value="{}"{}>{}</option>', options)
        return markup('<select name="{}"{}>{}</select>', name, given, listed)


class Renderer(DjangoTemplates):
    """The setting FORM_RENDERER."""

    def render(self, template_name: str, context: dict[str, Any], request: HttpRequest | None = None) -> SafeString:
        """Return the HTML of a widget, the same as that of Django's template except for white space."""
        write = _WIDGETS.get(template_name)
        if write is not None and request is None and "widget" in context:
            # Each part was escaped.
            return SafeString(write(context["widget"]))  # nosec B703
        return cast("SafeString", super().render(template_name, context, request))
