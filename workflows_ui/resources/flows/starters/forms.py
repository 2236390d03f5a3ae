"""The form of a new flow: empty, or from a starter with what it asks for; beside it the starters, and which apps they lack."""

from collections.abc import Mapping
from typing import Any, cast

from django import forms
from django.utils.translation import gettext_lazy as _

from workflows_ui.credentials.services.engine_session import EngineSession
from workflows_ui.resources.flows import outline
from workflows_ui.resources.flows.forms import folder_choices
from workflows_ui.resources.flows.imports import contents
from workflows_ui.resources.flows.imports.forms import MatchForm
from workflows_ui.resources.flows.starters.catalogue import Starter, localized, starters
from workflows_ui.resources.pieces import apps


class NewFlow(MatchForm):
    """Name and folder, and for a starter what takes the place of what it names; `request` is then its tree, else None."""

    discreet = frozenset({"request"})
    offers = "resources/flows/starters.html"
    name = forms.CharField(label=_("Name"), max_length=200)
    folder = forms.ChoiceField(label=_("Folder"), required=False)
    starter = forms.CharField(required=False, max_length=60, widget=forms.HiddenInput)

    def __init__(self, *args: Any, session: EngineSession, asked: Mapping[str, Any], **kwargs: Any) -> None:
        super().__init__(*args, session=session, asked=asked, **kwargs)
        cast("forms.ChoiceField", self.fields["folder"]).choices = folder_choices(self.session)
        self.chosen: Starter | None = starters().get(str(asked.get("starter") or ""))
        if self.chosen:
            self.fields["starter"].initial = asked.get("starter")
            self.initial.setdefault("name", localized(self.chosen.title))
            self.match([self.chosen.request()["trigger"]])

    @property
    def offered(self) -> list[dict[str, Any]]:
        """The starters: `starter`, its `title` and `about`, the `marks` of its apps, and which of them are `missing` in this engine."""
        known = {row["name"]: row for row in apps.catalogue_or_none(self.session)}
        return [_line(starter, known) for starter in starters().values()]

    @property
    def above(self) -> str:
        """The template that describes the starter."""
        return "resources/flows/starter.html" if self.chosen else ""

    @property
    def summary(self) -> dict[str, Any] | None:
        """The chosen starter as a line of `offered`, with the `items` of its outline."""
        line = next((line for line in self.offered if line["starter"] is self.chosen), None)
        return line | {"items": outline.items(line["starter"].request()["trigger"])} if line else None

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if self.chosen is None or self.errors:
            return cleaned | {"request": None}
        request, matches = self.chosen.request(), self.matching.matches(cleaned)
        return cleaned | {"request": request | {"trigger": contents.rewrite(request["trigger"], matches)}}


def _line(starter: Starter, known: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    marks = [apps.mark_of(known[name]) if name in known else apps.mark(apps.short(name)) for name in starter.pieces]
    missing = [mark.text for name, mark in zip(starter.pieces, marks, strict=True) if known and name not in known]
    return {
        "starter": starter,
        "title": localized(starter.title),
        "about": localized(starter.about),
        "marks": marks,
        "missing": ", ".join(missing),
    }
