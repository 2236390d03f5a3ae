"""Forms that make flows of trees: the matching with this workspace, and files.

A file is read by the first submission, which shows its content and what takes the place of what it uses. The second one imports it.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import ClassVar, Unpack, cast

from django import forms
from django.http import QueryDict
from django.utils.functional import Promise
from django.utils.translation import gettext, gettext_lazy as _, ngettext

from workflows_ui.core import crypto, formats, redaction
from workflows_ui.core.form_arguments import Cleaned, FormArguments
from workflows_ui.core.paths import dict_at, text_at
from workflows_ui.credentials.services.engine_session import EngineSession
from workflows_ui.engine import EngineError, flow_tree
from workflows_ui.flow_editing import validity
from workflows_ui.flow_editing.imports import contents, files, matching
from workflows_ui.flow_editing.imports.files import Request
from workflows_ui.flows import outline, pages, reading, secret_inputs
from workflows_ui.flows.seen_form import CHANGED, SeenForm
from workflows_ui.resource_admin.resource import Affected, Row, pick

#: Problems that are listed for one flow.
_MOST = 20
#: Different apps after which no further flow is checked.
_MOST_APPS = 30
#: Flows whose steps are shown; of the others their names.
_OUTLINES = 5


class MatchForm(forms.Form):
    #: The template of what the file or the starter has, above the fields.
    above = ""
    #: The label of the button that shows the form once more, with new choices.
    again: str | Promise = ""

    def __init__(
        self, *, session: EngineSession, asked: Mapping[str, object], **arguments: Unpack[FormArguments]
    ) -> None:
        super().__init__(**arguments)
        self.session, self.questions, self.matching = session, list[Affected](), matching.Matching()
        self.refreshed = self.is_bound and bool(asked.get("again"))
        if self.refreshed:
            self.questions = [Affected(gettext("The choices are up to date. Nothing has been sent yet."))]

    def match(self, triggers: list[object]) -> None:
        self.matching = matching.match(self.session, triggers)
        self.fields |= self.matching.fields
        if any(name.startswith("connection") for name in self.matching.fields):
            self.again = _("Refresh the choices")
        if self.refreshed:
            for name in self.matching.fields:
                self.fields[name].required = False


class FlowFile(SeenForm, MatchForm):
    """A file with flows, of which one is imported; `file` of the valid data is a list of that one's request (files.parse), rewritten.

    The parsed content is submitted again in a sealed field, so that the file need not be chosen twice.
    """

    several: ClassVar[bool] = False
    #: A flow holds code, and may hold plain passwords: it is not written to the audit log.
    discreet = frozenset({"file", "content", "seen"})
    file = forms.FileField(
        label=_("File"),
        help_text=_(
            "A file that was exported from a flow (JSON), of any version of the engine. One that was read need not be chosen again."
        ),
        widget=forms.ClearableFileInput(attrs={"accept": ".json,application/json"}),
    )
    content = forms.CharField(required=False, strip=False, widget=forms.HiddenInput)

    def __init__(
        self,
        *,
        session: EngineSession,
        asked: Mapping[str, object],
        row: Row | None = None,
        **arguments: Unpack[FormArguments],
    ) -> None:
        super().__init__(session=session, asked=asked, **arguments)
        self.row = row or {}
        self._context = f"flow file:{session.workspace.pk}:{session.user_id}"
        self.flows: list[Request] = []
        #: For templates/flow_editing/import_preview.html: the flows, all apps, and those that the engine has in the same version.
        self.preview: dict[str, object] = {}
        if self.is_bound and not self.files.get("file") and (flows := self._opened(str(asked.get("content") or ""))):
            self._take(flows)

    def which_field(self, choices: list[tuple[str, str]]) -> forms.Field:
        """Asks which flows of the file are imported."""
        return forms.ChoiceField(label=_("Flow to import"), widget=forms.RadioSelect, choices=choices)

    def _opened(self, sealed: str) -> list[Request]:
        """The flows that were read before; none if the text is not the console's own for this person."""
        try:
            return cast("list[Request]", json.loads(crypto.unseal(sealed, self._context))) if sealed else []
        except crypto.CannotOpen:
            return []

    def _take(self, flows: list[Request]) -> None:
        """Add the fields for these flows, and what is shown of them."""
        self.flows, self.above = flows, "flow_editing/import_preview.html"
        self.fields["file"].required = False
        if len(flows) > 1:
            choices = [(str(number), _choice_label(flow)) for number, flow in enumerate(flows)]
            self.fields["which"] = self.which_field(choices)
        self.match([flow["trigger"] for flow in flows])
        self.preview = {
            "flows": [_shown(self.session, flow, outlined=number < _OUTLINES) for number, flow in enumerate(flows)],
            "apps": self.matching.apps,
            "fits": [app for app in self.matching.apps if not app.missing and not app.replaced],
        }
        self.order_fields(["which", "name", *self.matching.fields, "file"])

    def clean(self) -> Cleaned:
        """The chosen flows, once the content of the file has been shown."""
        cleaned = super().clean() or self.cleaned_data
        seen, upload = cleaned.pop("seen", ""), cleaned.get("file")
        cleaned.pop("content", None)
        if "file" in self.errors:
            return cleaned
        if upload:
            try:
                self._take(files.read(upload))
            except forms.ValidationError as problem:
                self.add_error("file", problem)
                return cleaned
        text = json.dumps(self.flows)
        self._keep(text, fresh=bool(upload))
        picked = self.flows if upload else self._selected_flows()
        if not picked:
            self.add_error("which", gettext("Choose at least one flow."))
        matches = self.matching.matches(self.data if upload else cleaned)
        trees = [flow["trigger"] for flow in picked]
        matches, lacking = matching.match_columns(self.session, self.matching, matches, trees)
        taken = self._taken_names(picked, str(cleaned.get("name") or ""))
        mark = self._mark(text, lacking, taken)
        self.set_seen(mark)
        rewritten = [flow | {"trigger": contents.rewrite(flow["trigger"], matches)} for flow in picked]
        # A single flow without steps leaves nothing to look at.
        trigger = self.flows[0]["trigger"]
        has_steps = pick(trigger, "type") != "EMPTY" or bool(dict_at(trigger, "nextAction"))
        shown = len(self.flows) > 1 or has_steps or bool(taken)
        was, now = seen.split("-"), mark.split("-")
        # A name that is free asks nothing again.
        is_known = was[:2] == now[:2] and (not taken or was[2:] == now[2:])
        if shown and (upload or self.refreshed or not is_known):
            is_same = was[0] == now[0]
            self.questions = self._questions(rewritten, lacking, changed=not (upload or self.refreshed or is_same))
            if taken:
                self.questions = [*self.questions, _taken_question(taken)]
        return cleaned | {"file": rewritten, "flows": [flow["displayName"] for flow in picked]}

    def _taken_names(self, flows: list[Request], name: str) -> list[str]:
        """The names under which flows would be created although there is one already; none where none is created."""
        return []

    def _mark(self, text: str, *more: list[str]) -> str:
        """A digest of what the person saw: of the file and the version that it is to replace, "-", of the columns that are lacking, "-", of
        the names that are taken."""
        parts = [text, str(pick(self.row, "version.id")), str(pick(self.row, "version.updated"))]
        return "-".join(
            hashlib.sha256("\n".join(seen).encode("utf-8", "replace")).hexdigest()[:32] for seen in (parts, *more)
        )

    def _selected_flows(self) -> list[Request]:
        """The chosen flows; a single one needs no choice."""
        if len(self.flows) == 1:
            return self.flows
        chosen = cast("QueryDict", self.data).getlist("which")
        picked = [flow for number, flow in enumerate(self.flows) if str(number) in chosen]
        return picked if self.several else picked[:1]

    def _keep(self, text: str, *, fresh: bool) -> None:
        """Add the content to the form, and for a new file the likely choices."""
        data = cast("QueryDict", self.data).copy()
        data["content"] = crypto.seal(text, self._context)
        if fresh:
            for name, field in self.matching.fields.items():
                data[name] = str(field.initial)
            data.setlist("which", [str(number) for number in range(len(self.flows) if self.several else 1)])
        self.data = data

    def _questions(self, flows: list[Request], lacking: list[str], *, changed: bool) -> list[Affected]:
        """What is said before anything is created: several flows, a draft that was changed, columns that are lacking, and what has to be
        completed afterwards.
        """
        result = []
        if changed and self.row:
            result.append(Affected(CHANGED))
        if len(self.flows) > 1:
            text = gettext("There are %(count)d flows in this file. Choose the ones to import.")
            if not self.several:
                text = gettext("There are %(count)d flows in this file. Choose the one to import.")
            result.append(Affected(text % {"count": len(self.flows)}))
        if self.matching.left_out:
            text = gettext(
                "The form has no room for %(count)d more things that the file names. They stay as they are in the file."
            )
            result.append(Affected(text % {"count": self.matching.left_out}))
        if lacking:
            text = gettext(
                "The table that takes the place of another has no column of these names. The values go nowhere:"
            )
            result.append(Affected(text, [(line, "") for line in lacking[:_MOST]]))
        open_keys = self.matching.open_keys(self.data)
        result += [
            question for flow in _first_checked(flows) if (question := _to_complete(self.session, flow, open_keys))
        ]
        return (
            result
            or self.questions
            or [Affected(gettext("These are the contents of the file. Nothing has been sent yet."))]
        )


class NewFlowFile(FlowFile):
    """The same, creating a flow for each that is chosen."""

    several = True
    name = forms.CharField(
        label=_("Name"), max_length=200, required=False, help_text=_("Left empty, it is called as in the file.")
    )
    field_order = ("file", "name")

    def which_field(self, choices: list[tuple[str, str]]) -> forms.Field:
        return forms.MultipleChoiceField(
            label=_("Flows to import"), required=False, widget=forms.CheckboxSelectMultiple, choices=choices
        )

    def _taken_names(self, flows: list[Request], name: str) -> list[str]:
        wanted = [name if name and len(flows) == 1 else files.shown_name(flow) for flow in flows]
        try:
            rows, _complete = pages.all_flows(
                self.session, lambda row: {"id": text_at(row, "id"), "name": reading.name_of(row)}
            )
        except EngineError:
            return []
        known = {row["name"].strip().casefold() for row in rows}
        return [text for text in dict.fromkeys(wanted) if text.strip().casefold() in known]

    def clean(self) -> Cleaned:
        """A name can only be given to a single flow."""
        cleaned = super().clean()
        if cleaned.get("name") and len(cleaned.get("file") or ()) > 1 and not self.questions:
            text = gettext(
                "Several flows are created, each with its name in the file. Leave this empty, or choose one flow."
            )
            self.add_error("name", text)
        return cleaned


def _taken_question(names: list[str]) -> Affected:
    count = len(names)
    text = ngettext(
        "There is a flow of this name already. Another one is created beside it:",
        "There are flows of these names already. Others are created beside them:",
        count,
    )
    return Affected(text, [(formats.cut(name), "") for name in names[:_MOST]])


def _first_checked(flows: list[Request]) -> Iterator[Request]:
    """The flows that are checked before the import, since each app costs calls; afterwards every flow has its list of what is missing."""
    used: set[contents.App] = set()
    for flow in flows:
        if len(used) > _MOST_APPS:
            return
        used |= contents.read([flow["trigger"]]).apps.keys()
        yield flow


def _to_complete(session: EngineSession, flow: Request, open_keys: frozenset[str]) -> Affected | None:
    found = validity.check_steps(session, flow["trigger"], open_keys=open_keys).findings
    if not found:
        return None
    shown = [(finding.text, "") for finding in found[:_MOST]]
    if more := len(found) - len(shown):
        shown.append((gettext("and %(n)d more") % {"n": more}, ""))
    count = len({finding.step for finding in found})
    values = {"name": formats.cut(files.shown_name(flow) or gettext("Flow without a name")), "count": count}
    text = ngettext(
        "%(count)d step of “%(name)s” has to be completed after the import:",
        "%(count)d steps of “%(name)s” have to be completed after the import:",
        count,
    )
    return Affected(text % values, shown)


def _choice_label(flow: Request) -> str:
    number = sum(1 for _node in flow_tree.walk(flow["trigger"])) - 1
    steps = ngettext("%(n)d step", "%(n)d steps", number) % {"n": number}
    name = files.shown_name(flow) or gettext("Flow without a name")
    return f"{formats.cut(name, 120)} ({steps})"


def _shown(session: EngineSession, flow: Request, *, outlined: bool) -> dict[str, object]:
    """A flow of the file, secrets masked."""
    masked = secret_inputs.masked(session, flow) if outlined else redaction.step(flow, secrets=reading.SECRETS)
    trigger = masked["trigger"]
    items = []
    if outlined:
        names = outline.names_of(trigger, reading.connection_names(session), session.workspace.slug)
        items = outline.items(trigger, names, outline.labels(session, trigger))
    return {
        "name": files.shown_name(flow),
        "start": reading.start_label({"version": {"trigger": trigger}}),
        "steps": sum(1 for _node in flow_tree.walk(trigger)) - 1,
        "note_count": len(flow["notes"]),
        "rows": list(outline.rows(items)),
    }
