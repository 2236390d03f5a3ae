"""Django's form renderer, with the widgets that pages have many of written by `elements`: their templates include three others each."""

from collections.abc import Callable, Mapping
from typing import Any, cast

from django import forms
from django.forms.renderers import BaseRenderer, DjangoTemplates
from django.http import HttpRequest
from django.utils.safestring import SafeString

from workflows_ui.web import elements

_INPUTS = ("text", "number", "hidden", "email", "password", "date", "url", "search", "tel", "checkbox", "file")
_WIDGETS: dict[str, Callable[[Mapping[str, object]], SafeString]] = {
    **{f"django/forms/widgets/{name}.html": elements.input_widget for name in _INPUTS},
    "django/forms/widgets/textarea.html": elements.textarea_widget,
    "django/forms/widgets/select.html": elements.select_widget,
    "django/forms/widgets/checkbox_option.html": elements.option_widget,
    "django/forms/widgets/radio_option.html": elements.option_widget,
}


class LongSelect(forms.Select):
    """A select field of hundreds of options without groups, for each of which Django makes two dictionaries."""

    def render(
        self, name: str, value: object, attrs: dict[str, object] | None = None, renderer: BaseRenderer | None = None
    ) -> SafeString:
        """The HTML, the same as Django's except for white space."""
        return elements.long_select(name, self.build_attrs(self.attrs, attrs), self.choices, self.format_value(value))


class Renderer(DjangoTemplates):
    """The setting FORM_RENDERER."""

    def render(self, template_name: str, context: dict[str, Any], request: HttpRequest | None = None) -> SafeString:
        """The HTML of a widget, the same as that of Django's template except for white space."""
        write = _WIDGETS.get(template_name)
        if write is not None and request is None and "widget" in context:
            return write(context["widget"])
        return cast("SafeString", super().render(template_name, context, request))
