"""The list of launches and its file: columns, row menus, and inputs and answers as far as the person may see them."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, ClassVar

from django.db.models import DurationField, ExpressionWrapper, F, QuerySet
from django.urls import reverse
from django.utils.functional import SimpleLazyObject
from django.utils.translation import gettext, gettext_lazy as _, pgettext_lazy

from workflows_ui.core.collation import by_name
from workflows_ui.core.crypto import CannotOpen
from workflows_ui.core.prepared import Prepared
from workflows_ui.core.secret_names import MASK, mask_text, names_secret
from workflows_ui.launch_forms.models import LaunchFormVersion
from workflows_ui.launches.forms import FilterForm
from workflows_ui.launches.inputs import Forms, input_labels, labelled_inputs, summaries
from workflows_ui.launches.models import UNSENT, WENT_WRONG, Launch, LaunchInput
from workflows_ui.launches.page import LaunchPage
from workflows_ui.launches.services import usual_time
from workflows_ui.lists import export, file_formats
from workflows_ui.lists.declaration import Column
from workflows_ui.lists.file_formats import Cell, Facts
from workflows_ui.lists.local_lists import LocalList
from workflows_ui.members.models import Role
from workflows_ui.members.services.access import Access
from workflows_ui.web import messages
from workflows_ui.web.elements import Button
from workflows_ui.web.links import object_url, view_url

#: Inputs in a row of the list; all of them are on the launch's page and in the file.
_INPUTS = 4
#: Most bytes of a launch whose inputs are summed up in its row.
_SUMMED_UP = 4 * 1024
_AGAIN, _OPEN_RUN, _OPEN_FLOW = _("Launch again"), _("Open the run"), _("Open the flow")
#: Columns of a file for the inputs of launch forms, and launches read at a time.
_LABELS, _PART = 100, 50


def _inputs(launch: Launch) -> str:
    """The searchable inputs in one line, else a summary of the payload. Some of the former were stored before their names or texts
    were recognized as secret.
    """
    if not launch.listed_inputs:  # type: ignore[attr-defined]  # Launches.masked sets it
        return str(launch.summaries.get(launch.pk, ""))  # type: ignore[attr-defined]
    shown = [
        f"{item.label[:40]}: {MASK if names_secret(item.label) or names_secret(item.name) else mask_text(item.text)[:80]}"
        for item in launch.listed_inputs[:_INPUTS]  # type: ignore[attr-defined]
    ]
    return " · ".join(shown)


_FLOW = Column(
    lambda row: row.flow_name or row.flow_id, _("Flow"), link=True, name="flow", sort=by_name("flow_name", "flow_id")
)
_STATE = Column(messages.launch_badge, _("State"), kind="badge", name="state", sort=("state",))
_FAILED_STEP = Column(
    lambda row: row.failed_step if row.state == "failed" else "", _("Failed step"), wide=True, name="step", sort=False
)
_WHY = Column(lambda row: row.reasons.get(row.pk, ""), _("Why"), kind="note", wide=True, name="step", sort=False)
_INPUT = Column(_inputs, _("Inputs"), kind="note", wide=True, name="inputs", sort=False)
_PERSON = Column(
    lambda row: row.user.label,
    _("Launched by"),
    name="person",
    sort=by_name("user__first_name", "user__last_name", "user__username"),
)
_WHEN = Column(
    lambda row: row.asked_at, pgettext_lazy("launch", "Launched"), kind="when", name="launched", sort=("asked_at",)
)
_TOOK = Column(
    lambda row: row.milliseconds,
    _("Duration"),
    kind="duration",
    below=lambda row: messages.LATE if getattr(row, "is_late", False) else "",
    name="took",
    sort=(ExpressionWrapper(F("run_finished_at") - F("run_started_at"), DurationField()),),
)


_inputs_of = Prepared(lambda launches: LaunchInput.objects.filter(launch__in=launches).order_by("pk"), [str])


class Launches(LocalList):
    """The launches that a person may see: their own, or everybody's.

    `workspace_id`: theirs, whose flows' usual times are known; 0 without marks of what takes longer.
    """

    workspace_id: int = 0
    name = "launches"
    label, label_plural = _("Launch"), _("Launches")
    icon, group = "rocket", "launch"
    filters = FilterForm
    moment = "asked_at"
    file_view = "launches_file"
    list_display = (_FLOW, _STATE, _WHY, _INPUT, _WHEN, _TOOK)
    #: Of the person who sees the list.
    access: ClassVar[Access]

    def title(self, row: Launch) -> str:
        return row.flow_name or row.flow_id

    def url(self, slug: str, id: str = "", **query: str) -> str:
        return view_url("launch", slug, id) if id else reverse("launches", args=[slug], query=query or None)

    def masked(self, session: Any, rows: Sequence[Any]) -> Sequence[Any]:
        """The rows with their `listed_inputs`: one query, which takes a fraction of the time of prefetching. The `summaries` of rows
        without them take another, once the column is shown: a list that refreshes itself opens no payloads while it is the same. So do
        the `reasons` of those that went wrong.
        """
        found = defaultdict[str, list[LaunchInput]](list)
        for item in _inputs_of([row.pk for row in rows]) if rows else ():
            found[item.launch_id].append(item)
        without = [row for row in rows if row.pk not in found]
        lines = SimpleLazyObject(lambda: summaries(without, _SUMMED_UP))
        wrong = [row for row in rows if row.state in WENT_WRONG]
        reasons: Any = SimpleLazyObject(lambda: _reasons(wrong, self.access)) if wrong else {}
        under_way = {row.pk: (row.flow_id, passed) for row in rows if (passed := usual_time.elapsed(row)) is not None}
        late = usual_time.find_late(self.workspace_id, under_way) if self.workspace_id else frozenset[str]()
        for row in rows:
            row.listed_inputs, row.summaries, row.reasons = found[row.pk], lines, reasons
            row.is_late = row.pk in late
        return rows

    def refresh_seconds(self, row: Launch) -> int:
        return 0 if row.settled else 2

    def row_buttons(self, access: Access, row: Launch) -> Sequence[Button]:
        """Links that this person may follow: a guest has no page of the flow or the run, a viewer no form."""
        slug, buttons = access.workspace.slug, []
        if access.may_launch(row.flow_id):
            again = view_url("flow_launch", slug, row.flow_id)
            if row.state not in UNSENT:
                buttons.append(Button(_AGAIN, "rotate-cw", f"{again}?from={row.pk}"))
        if not access.guest and access.sees("runs") and row.run_id:
            buttons.append(
                Button(_OPEN_RUN, "history", object_url("resource_detail", row.run_id, slug=slug, resource="runs"))
            )
        if not access.guest and access.sees("flows"):
            flow = object_url("resource_detail", row.flow_id, slug=slug, resource="flows")
            buttons.append(Button(_OPEN_FLOW, "workflow", flow))
        return buttons


#: The columns of a table file before the inputs; the id is its last.
_FILE = Launches.with_attributes(
    list_display=(
        _FLOW,
        _STATE,
        _FAILED_STEP,
        _PERSON,
        replace(_WHEN, label=_("Launched")),
        Column(lambda row: row.ended_at, _("Ended"), kind="when"),
        replace(_TOOK, below=None),
    )
)


def launch_list(access: Access) -> Launches:
    """The list for a person: who launched is a column where others' launches are shown."""
    pk = access.workspace.pk
    if not access.allows(Role.BUILDER):
        return Launches.with_attributes(access=access, workspace_id=pk)
    columns = (_FLOW, _STATE, _WHY, _INPUT, _PERSON, _WHEN, _TOOK)
    return Launches.with_attributes(access=access, workspace_id=pk, list_display=columns)


def _reasons(rows: Sequence[Launch], access: Access) -> dict[str, str]:
    """Why launches went wrong, in a line each, by primary key; secrets masked. One query.

    Of launches with large inputs, which would have to be opened for the mask, it is only the step.
    """
    found = {row.pk: row.failed_step for row in rows if row.size > _SUMMED_UP}
    small = Launch.objects.filter(pk__in=[row.pk for row in rows if row.pk not in found]).select_related("workspace")
    # The manager defers the payload, which the mask needs.
    found |= {row.pk: _reason(LaunchPage(row, access)) for row in small.defer(None).defer("answer")}
    return {key: reason for key, reason in found.items() if reason}


def _reason(page: LaunchPage) -> str:
    """Why a launch went wrong: the message and its step, else what the state's own message adds to the state; "" if nothing is known."""
    if page.launch.state not in WENT_WRONG:
        return ""
    found = page.reason
    # Narrow columns cut the end off.
    parts = [found.message or found.title, found.step] if found else []
    return " · ".join(filter(None, parts)) or ("" if page.title_is_badge else str(page.message.title))


def file(kind: str, rows: QuerySet[Launch], access: Access, filters: Facts) -> Iterator[bytes]:
    """The launches as a file, with their inputs and answers, secrets masked; `kind` is a key of FORMATS.

    In a table each field of the launch forms has a column of its own, and inputs without one are JSON in the last of them.
    """
    labels = [] if kind == "json" else _labels(rows)
    forms: Forms = {}
    title = str(Launches.label_plural)
    return export.stream(
        file_formats.writer(kind, title, export.facts(title, access.workspace.name, filters)),
        # Each row that is opened needs its payload, its workspace and its form: read one by one, they are queries of each row.
        rows.select_related("user", "workspace", "form_version").defer(None).defer("form_version__schema"),
        headings=lambda: _headings(labels),
        line=_record if kind == "json" else lambda page: _cells(page, labels, forms),
        prepare=lambda part: [LaunchPage(row, access) for row in part],
        together=_PART,
    )


def _labels(rows: QuerySet[Launch]) -> list[str]:
    """The labels of the inputs of all forms that were filled in, the newest form's first."""
    used = rows.exclude(form_version=None).order_by().values("form_version").distinct()
    labels: dict[str, None] = {}
    for version in LaunchFormVersion.objects.filter(pk__in=used).order_by("-number").iterator(chunk_size=_PART):
        try:
            labels |= dict.fromkeys(input_labels(version.open_form()))
        except CannotOpen:
            continue
        if len(labels) >= _LABELS:
            break
    return list(labels)[:_LABELS]


def _headings(labels: Sequence[str]) -> list[str]:
    *columns, row_id = export.headings(_FILE)
    return [
        *columns,
        gettext("Why"),
        *labels,
        gettext("Other inputs"),
        gettext("Answer"),
        gettext("ID of the run"),
        row_id,
    ]


def _cells(page: LaunchPage, labels: Sequence[str], forms: Forms) -> list[Cell]:
    inputs = dict(labelled_inputs(page.launch, page.payload.value, forms))
    known = [inputs.pop(label, None) for label in labels]
    others = inputs.pop("", None) if set(inputs) == {""} else inputs
    launch: Any = page.launch
    *columns, row_id = export.cells(_FILE, launch)
    values = [export.value_cell(value) for value in (*known, others or None, _answer(page))]
    return [*columns, _reason(page), *values, launch.run_id, row_id]


def _record(page: LaunchPage) -> dict[str, Any]:
    row = page.launch
    return {
        "id": row.pk,
        "flow_id": row.flow_id,
        "flow": row.flow_name,
        "state": row.state,
        "failed_step": row.failed_step if row.state == "failed" else "",
        "person": row.user.label,
        "launched_at": row.asked_at.isoformat(),
        "ended_at": row.ended_at.isoformat() if row.ended_at else None,
        "run_id": row.run_id,
        "inputs": page.payload.value,
        "answer": _answer(page),
    }


def _answer(page: LaunchPage) -> object:
    return page.answer.value if page.answer is not None else None
