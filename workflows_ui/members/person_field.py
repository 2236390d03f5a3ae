"""The form field for a person, who is found by user name, e-mail address or part of a name."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.forms.renderers import BaseRenderer
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from workflows_ui.accounts.models import User
from workflows_ui.accounts.services import people as accounts
from workflows_ui.members.services import directory


class PersonInput(forms.TextInput):
    """A text field with suggestions below it; `choices` are the people who fit the submitted text, of whom one must be chosen.

    A choice counts only for the text that it was offered for, so that a corrected text wins.
    """

    choices: list[User] = []  # replaced, never changed
    #: The slug of the workspace into which an address that nobody has can be invited; "" where it cannot.
    invites_to = ""

    def render(
        self, name: str, value: Any, attrs: dict[str, Any] | None = None, renderer: BaseRenderer | None = None
    ) -> SafeString:
        suggestions = f"{(attrs or {}).get('id', name)}-people"
        query = {"field": name} | ({"invite": self.invites_to} if self.invites_to else {})
        suggesting = {
            "hx-get": f"{reverse('people_suggest')}?{urlencode(query)}",
            "hx-trigger": "input changed delay:150ms",
            "hx-target": f"#{suggestions}",
            "hx-sync": "this:replace",
            "hx-params": name,
        }
        field = super().render(name, value, (attrs or {}) | suggesting, renderer)
        context = {"input": field, "name": name, "text": value, "suggestions": suggestions, "choices": self.choices}
        return render_to_string("members/person_input.html", context)

    def value_from_datadict(self, data: Any, files: Any, name: str) -> Any:
        text = super().value_from_datadict(data, files, name)
        chosen = data.get(f"{name}-chosen", "")
        return chosen if chosen and data.get(f"{name}-for") == text else text


class PersonField(forms.CharField):
    """A user name, e-mail address or full name. The value is the active person with it, None if it is empty.

    `people` are those who may be found by part of their name: of these, the person who fills in the form chooses. By default nobody is.
    """

    default_error_messages = {
        "unknown": _("Nobody with this user name or e-mail address has an account here."),
        "several": _("Choose the person that you mean, or type the whole user name or e-mail address."),
    }
    people: QuerySet[User] = User.objects.none()
    widget: PersonInput

    def __init__(self, **options: Any) -> None:
        attributes = {"autocomplete": "off", "spellcheck": "false", "autocapitalize": "none"}
        super().__init__(max_length=254, widget=PersonInput(attrs=attributes), **options)

    def clean(self, value: Any) -> User | None:
        name = super().clean(value)
        person = accounts.find_person(name) or directory.find_by_full_name(self.people, name)
        if name and person is None:
            self.widget.choices = directory.search(self.people, name)
            code = "several" if self.widget.choices else "unknown"
            raise ValidationError(self.error_messages[code], code)
        return person


class PersonFormMixin:
    """A form whose person fields find people by part of a name: `people` are those whom the person who fills it in may see."""

    fields: dict[str, forms.Field]

    def __init__(self, *args: Any, people: QuerySet[User] | None = None, **options: Any) -> None:
        super().__init__(*args, **options)
        for field in self.fields.values():
            if isinstance(field, PersonField) and people is not None:
                field.people = people
