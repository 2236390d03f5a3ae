"""The form of a new flow: empty, or from a starter with what it asks for; beside it the starters, and which apps they lack.

Starters are flows to begin with, each a file beside this module with a tree (api.md 6.3), in the language of who creates one. A file has
`title`, `about`, `icon`, `order` and `trigger`. Its steps name no versions, and `choose` instead of a connection or table:
imports/matching.py fills both in. `{"translate": text}` is a text in the person's language, `{"zone": true}` the person's time zone, and
`{"schedule": cron}` a schedule in that zone in words.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TypedDict, Unpack, cast

from django import forms
from django.utils import timezone
from django.utils.translation import gettext, gettext_lazy as _

from workflows_ui.core.form_arguments import Cleaned, FormArguments
from workflows_ui.credentials.services.engine_session import EngineSession
from workflows_ui.flow_editing.imports import contents
from workflows_ui.flow_editing.imports.files import Request
from workflows_ui.flow_editing.imports.forms import MatchForm
from workflows_ui.flows import outline, reading
from workflows_ui.flows.cron_messages import describe_schedule
from workflows_ui.flows.reading import folder_choices
from workflows_ui.pieces import apps


@dataclass(frozen=True)
class Starter:
    """One file; `key` is its name. `pieces` are the whole names of the apps, in their order."""

    key: str
    order: int
    icon: str
    title: dict[str, str]
    about: dict[str, str]
    trigger: dict[str, object]
    pieces: tuple[str, ...]

    def request(self) -> Request:
        """The request of IMPORT_FLOW (imports/files.py), before anything is matched."""
        return {
            "displayName": localized(self.title),
            "trigger": localized(self.trigger),
            "schemaVersion": None,
            "notes": [],
        }


@cache
def starters() -> dict[str, Starter]:
    """All starters by key, in their order."""
    found = [_read(file) for file in Path(__file__).parent.glob("*.json")]
    return {starter.key: starter for starter in sorted(found, key=lambda starter: starter.order)}


def _read(file: Path) -> Starter:
    data = json.loads(file.read_text(encoding="utf-8"))
    pieces = dict.fromkeys(name for name, _version in contents.read([data["trigger"]]).apps)
    return Starter(file.stem, pieces=tuple(pieces), **data)


def localized(value: object) -> object:
    """A copy of a part of a file for the person who is served."""
    if isinstance(value, list):
        return [localized(item) for item in value]
    if not isinstance(value, dict):
        return value
    if text := value.get("translate"):
        return gettext(text)
    if "zone" in value:
        return timezone.get_current_timezone_name()
    if cron := value.get("schedule"):
        return describe_schedule(cron, timezone.get_current_timezone_name())
    return {key: localized(item) for key, item in value.items()}


class NewFlow(MatchForm):
    """Name and folder, and for a starter what takes the place of what it names; `request` is then its tree, else None."""

    discreet = frozenset({"request"})
    offers = "flow_editing/starters.html"
    name = forms.CharField(label=_("Name"), max_length=200)
    folder = forms.ChoiceField(label=_("Folder"), required=False)
    starter = forms.CharField(required=False, max_length=60, widget=forms.HiddenInput)

    def __init__(
        self, *, session: EngineSession, asked: Mapping[str, object], **arguments: Unpack[FormArguments]
    ) -> None:
        super().__init__(session=session, asked=asked, **arguments)
        cast("forms.ChoiceField", self.fields["folder"]).choices = folder_choices(self.session)
        self.chosen: Starter | None = starters().get(str(asked.get("starter") or ""))
        if self.chosen:
            self.above = "flow_editing/starter.html"
            self.fields["starter"].initial = asked.get("starter")
            self.initial.setdefault("name", localized(self.chosen.title))
            self.match([self.chosen.request()["trigger"]])

    @property
    def offered(self) -> list["Line"]:
        """The starters."""
        known = {row["name"]: row for row in apps.catalogue_or_none(self.session)}
        return [_line(starter, known) for starter in starters().values()]

    @property
    def summary(self) -> dict[str, object] | None:
        """The chosen starter as a line of `offered`, with the `items` of its outline."""
        line = next((line for line in self.offered if line["starter"] is self.chosen), None)
        return {**line, "items": outline.items(line["starter"].request()["trigger"])} if line else None

    def clean(self) -> Cleaned:
        cleaned = super().clean() or self.cleaned_data
        if self.chosen is None or self.errors:
            return cleaned | {"request": None}
        request, matches = self.chosen.request(), self.matching.matches(cleaned)
        return cleaned | {"request": request | {"trigger": contents.rewrite(request["trigger"], matches)}}


class Line(TypedDict):
    """A starter with the `marks` of its apps, and the names of those that are `missing` in this engine."""

    starter: Starter
    title: str
    about: str
    marks: list[apps.Mark]
    missing: str


def _line(starter: Starter, known: Mapping[str, apps.App]) -> Line:
    marks = reading.app_marks(known, starter.pieces)
    missing = [mark.text for name, mark in zip(starter.pieces, marks, strict=True) if known and name not in known]
    return {
        "starter": starter,
        "title": str(localized(starter.title)),
        "about": str(localized(starter.about)),
        "marks": marks,
        "missing": ", ".join(missing),
    }
