"""Flows: the list with its filters, and the page of one flow with its outline and launches."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from types import MappingProxyType

from django.utils.translation import gettext_lazy as _, pgettext_lazy

from workflows_ui.core.collation import sort_key
from workflows_ui.core.paths import list_at, number_at
from workflows_ui.core.states import Badge
from workflows_ui.core.text import Text
from workflows_ui.credentials.services.engine_session import EngineSession
from workflows_ui.engine_objects.flows import Flow
from workflows_ui.flow_editing import actions as editing_actions, replacement_job
from workflows_ui.flow_editing.testing.actions import DRAFT_TEST, STEP_TEST
from workflows_ui.flow_editing.trigger_testing import actions as trigger_tests
from workflows_ui.flows import pages, reading, secret_inputs, versions
from workflows_ui.lists.declaration import Branch, Tree
from workflows_ui.members.models import Role
from workflows_ui.pieces.apps import marks_html
from workflows_ui.resource_admin.places import link_to, list_url, subpage_url
from workflows_ui.resource_admin.resource import (
    Column,
    Page,
    Panel,
    Query,
    Resource,
    Row,
    Shortcut,
    Subject,
    Switch,
    Tab,
    id_at,
)
from workflows_ui.resources.flows import (
    actions as resource_actions,
    columns,
    folder_tree,
    latest_run,
    panels as flow_panels,
    results as resource_results,
)
from workflows_ui.resources.flows.forms import FlowFilters
from workflows_ui.usage import usage
from workflows_ui.web import messages
from workflows_ui.web.plots import Spark

#: The columns and filters of engines whose flows have owners.
_OWNED = frozenset({"owner"})
_DELETING = Badge(_("Being deleted"), "loader-circle", "orange", moving=True)


def _rights_url(slug: str, flow: Row) -> str:
    return subpage_url("flow_launch_rights", slug, flow) if Flow(flow).is_published else ""


def _runs_url(slug: str, flow: Row) -> str:
    key = id_at(flow)
    return list_url(slug, "runs", flow=key) if key else ""


def _note(flow: Row) -> Text:
    """`state_note`, short enough for a row."""
    found = Flow(flow)
    return _("Unpublished changes") if found.has_draft and not found.deleting else reading.state_note(flow)


def _number_of_runs(flow: Row) -> int:
    """What the list is sorted by, if by the plots of its runs."""
    plot = flow.get("days")
    return plot.number if isinstance(plot, Spark) else 0


class Flows(Resource):
    name = "flows"
    label, label_plural = _("Flow"), _("Flows")
    icon, group, menu_order = "workflow", "build", 10
    empty = _("There are no flows in this workspace yet")
    empty_hint = _(
        "Create one from a starter, import one from a file, or build it in the engine. It is then listed here."
    )
    secrets = reading.SECRETS
    hidden_url = "flow_hidden"
    filters = FlowFilters
    search_field, search_by_id = "name", True
    index_filters = MappingProxyType(
        {"name": "name", "status": "state", "folder": "folder_id", "owner": "owner", "connection": "connection"}
    )
    filter_help = _(
        "The name is looked for in the newest version's name only, in any case; steps and their values are not searched."
    )
    title_path = "version.displayName"
    recipe = ("/v1/flows/{id}", "workflows.get_flow({id!r})")
    list_display = (
        Column(reading.name_of, _("Name"), link=True, mark=lambda row: row.get("alarm")),
        Column("start", _("Trigger"), wide=True, html=columns.Trigger.__html__, name="start_label"),
        Column("folder", _("Folder"), link=link_to("folders", "folderId"), wide=True),
        Column(lambda row: messages.flow_state(row.get("status")), _("State"), kind="state", below=_note, name="state"),
        Column("results", _("Last results"), kind="badge", sort=resource_results.rank, html=resource_results.html),
        Column("last", _("Last run"), kind="when", wide=True, widest=True, phone=False),
        Column(
            "days", _("Last 14 days"), kind="plot", wide=True, phone=False, sort=_number_of_runs, html=Spark.__html__
        ),
        Column(
            "apps", _("Apps"), kind="list", wide=True, widest=True, phone=False, sort=columns.apps_text, html=marks_html
        ),
        Column("owner", _("Owner"), wide=True, phone=False),
        Column("updated", _("Updated"), kind="when", wide=True, widest=True, phone=False),
    )
    shortcuts = (
        Shortcut(
            _("Launch"),
            "rocket",
            flow_panels.launch_url,
            role=Role.LAUNCHER,
            primary=True,
            in_rows=True,
            without_engine=True,
        ),
        Shortcut(_("Runs"), "history", _runs_url, without_engine=True),
        Shortcut(_("Launch form"), "clipboard-pen-line", flow_panels.form_url, role=Role.BUILDER),
        Shortcut(_("Samples of the trigger"), "test-tubes", partial(subpage_url, "flow_trigger_test")),
        Shortcut(_("Launch rights"), "calendar-clock", _rights_url, role=Role.MANAGER),
        Shortcut(_("Export as a file"), "file-output", partial(subpage_url, "flow_export")),
    )
    job_actions = (replacement_job.REPLACE_CONNECTION,)
    actions = (
        *resource_actions.ACTIONS,
        trigger_tests.TEST,
        *editing_actions.ACTIONS,
        STEP_TEST,
        DRAFT_TEST,
    )
    details = (
        Column("created", _("Created"), kind="when"),
        Column("updated", _("Updated"), kind="when"),
        Column("owner", _("Owner")),
        Column("folder", _("Folder"), link=link_to("folders", "folderId")),
        Column(lambda flow: Flow(flow).tags, _("Tags"), kind="list"),
        Column(reading.next_times, _("Starts next"), template_name="resources/flows/times.html"),
        Column(lambda flow: number_at(flow, "timeSavedPerRun"), _("Minutes saved per run"), kind="count"),
        Column(lambda flow: len(list_at(flow, "version.notes")) or None, _("Notes on its canvas"), kind="count"),
        Column("id", _("Engine ID"), kind="id"),
    )
    key_facts = (
        Column(reading.start_label, _("Starts with")),
        Column("folder", _("Folder"), link=link_to("folders", "folderId")),
        Column(reading.state_note, _("Note")),
    )
    style_sheet = "steps.css"
    panels = (
        Panel("", "resources/flows/warnings.html", flow_panels.warnings),
        Panel("", "alarms/of_flow.html", flow_panels.alarms, without_engine=True),
        Panel("", "failure_rules/of_flow.html", flow_panels.on_failure, without_engine=True),
        Panel("", "resources/flows/not_launchable.html", flow_panels.not_launchable),
        Panel(_("What this will do"), "resources/flows/story.html", flow_panels.story),
        Panel(_("Diagram"), "flows/diagram.html", latest_run.panel),
        Panel(_("Runs per day"), "resources/flows/run_plots.html", flow_panels.run_plots, without_engine=True),
        Panel(_("Launches per day"), "resources/flows/plots.html", flow_panels.plots),
        Panel(_("Latest runs"), "resources/flows/runs.html", flow_panels.latest_runs),
        Panel(_("What it uses"), "resources/flows/uses.html", flow_panels.uses, without_engine=True),
    )
    tabs = (
        Tab("steps", _("Steps"), (Panel("", "resources/flows/steps.html", flow_panels.steps),)),
        Tab(
            "runs",
            pgettext_lazy("noun", "Runs"),
            (
                Panel("", "resources/flows/runs.html", partial(flow_panels.latest_runs, number=resource_results.MOST)),
                Panel(_("Latest launches"), "resources/flows/launches.html", flow_panels.launches),
            ),
        ),
        Tab(
            "form",
            _("Launch form"),
            (Panel("", "resources/flows/form.html", flow_panels.form),),
            role=Role.BUILDER,
            visible=lambda flow: not Flow(flow).deleting,
        ),
        usage.tab("flows", _("No flow calls this flow, and no MCP server offers it.")),
        Tab("versions", _("Versions"), (Panel("", "resources/flows/versions.html", versions.panel),)),
    )
    head = Panel("", "resources/flows/own_marks.html", flow_panels.own_marks)
    switch = Switch("turn-on", "turn-off", lambda flow: Flow(flow).is_on)
    editor_path = "/projects/{project}/flows/{id}"
    notes = True
    created = "created"

    def list(self, session: EngineSession, query: Query) -> Page:
        """A page, last changed first, with flows in the shape of `flow_pages.brief`. One call for flows as long as the first hundred hold
        the page, and a cached one for the names of folders; the newest runs for the last results, and the names of owners, are optional.
        """
        filters = pages.Filters.cleaned(query.filters)
        page = pages.page(session, filters, query, lambda rows: columns.complete(session, rows))
        # What sorted the rows has completed them.
        rows = page.rows if query.order and page.sortable else columns.complete(session, page.rows)
        owned = any("ownerId" in row for row in rows) or session.known(reading.OWNERS, list[str]())
        return replace(page, rows=rows, left_out=frozenset() if owned else _OWNED)

    def from_index(self, session: EngineSession, rows: Sequence[Row]) -> Sequence[Row]:
        """With the names of their folders and owners, their apps, and the plots of their runs, as far as they are known without a call."""
        return columns.complete(session, rows, columns.INDEXED)

    def get(self, session: EngineSession, id: str) -> Row:
        """The flow with its latest version, and the names of its folder and owner as `folder` and `owner`."""
        flow = session.workflows.get_flow(id)
        folder = reading.folder_names(session).get(str(flow.get("folderId"))) if flow.get("folderId") else None
        names = {"folder": folder, "owner": reading.owner_of(session, flow)}
        return flow | {key: name for key, name in names.items() if name}

    def count(self, session: EngineSession, filters: Mapping[str, object]) -> int | None:
        """The count by folder and state, the only filters that the engine counts by."""
        return pages.count(session, pages.Filters.cleaned(filters))

    def choices(self, session: EngineSession) -> Mapping[str, Sequence[tuple[str, Text]]]:
        """The folders, the owners, and the connections by the external ids that flows use."""
        connections = [(external, name) for external, (_id, name) in reading.connection_names(session).items()]
        connections.sort(key=lambda pair: sort_key(pair[1]))
        return {
            "folder": reading.folder_choices(session, pages.NO_FOLDER),
            "owner": reading.owner_choices(session),
            "connection": connections,
        }

    def tree(self, session: EngineSession, filters: Mapping[str, object], page: Page) -> Tree | None:
        """The folders with the numbers of all their flows. One cached call for the number of all flows, if the page does not know it."""
        folders = reading.folders(session)
        if not folders:
            return None
        total = pages.total(session) if filters or page.total is None else page.total
        numbers = [number for _name, number in folders.values()]
        inside = sum(number or 0 for number in numbers)
        outside = None if total is None or None in numbers else max(0, total - inside)
        branches = [
            Branch(_("All flows"), "", total),
            *folder_tree.branches(folders),
            Branch(_("In no folder"), pages.NO_FOLDER, outside),
        ]
        return Tree("folder", _("Folders"), _("The numbers are those of all flows, whatever the filters."), branches)

    def masked_whole(self, session: EngineSession, row: Row) -> Row:
        return secret_inputs.masked(session, row)

    def raw(self, subject: Subject) -> dict[str, object]:
        return super().raw(replace(subject, object=self.masked_whole(subject.session, subject.object)))

    def badge(self, row: Row) -> Badge:
        return _DELETING if Flow(row).deleting else messages.flow_state(row.get("status"))

    def refresh_seconds(self, row: Row) -> int:
        """Until the flow is deleted, while that is in progress."""
        return 2 if Flow(row).deleting else 0
