"""Actions on flows (api.md 6.5): state, publishing, name, folder, tags, copies, imports, versions, deletion."""

from collections.abc import Iterator, Mapping

from django.urls import reverse
from django.utils.text import format_lazy
from django.utils.translation import gettext, gettext_lazy as _, ngettext_lazy

from workflows_ui.core import clock, formats
from workflows_ui.core.paths import dict_at, dicts_at, list_at, text_at
from workflows_ui.core.text import filled
from workflows_ui.credentials.services.engine_session import EngineSession
from workflows_ui.deleted_objects import copies, services as deleted_objects
from workflows_ui.deleted_objects.services import Content
from workflows_ui.engine import EngineError, NotFound
from workflows_ui.engine_objects.flows import ENABLED, Flow
from workflows_ui.flow_editing import actions as editing_actions, creation, validity
from workflows_ui.flow_editing.operations import TREE, Operation
from workflows_ui.flow_editing.prediction import Impossible, predict
from workflows_ui.flows import pages
from workflows_ui.flows.reading import connection_names, folder_names, name_of, table_names, trigger_of
from workflows_ui.launch_forms.models import LaunchForm, LaunchFormVersion, SavedInputs
from workflows_ui.launches.models import OPEN, Launch
from workflows_ui.members.models import LaunchRight, Role
from workflows_ui.notifications.models import Favourite, Watch, WatchKind
from workflows_ui.pieces import missing_apps
from workflows_ui.resource_admin.actions import LastingText, NameData, NameForm, always, delete_action, rename_action
from workflows_ui.resource_admin.places import flow_url, object_url, subpage_url
from workflows_ui.resource_admin.resource import Action, Affected, Bulk, Row, Text, id_at, pick
from workflows_ui.resources.flows import forms as flow_forms
from workflows_ui.usage import usage

_LISTED = 20
Line = tuple[Text, str]


def _operate(session: EngineSession, id: str, operation: str, **request: object) -> Row:
    """Run one of the engine's operations on a flow (api.md 6.5) and return the whole flow. Raises EngineError."""
    flow, sent = session.workflows.get_flow(id), Operation(operation, request)
    try:
        expected = predict(flow, sent)
    except Impossible:
        expected = None
    return session.workflows.apply_flow_operation(id, sent.body, known=flow, expected=expected)


def _duplicate(session: EngineSession, id: str, data: NameData) -> object:
    """Create a flow of this name with the newest version's steps, in the same folder."""
    flow = session.workflows.get_flow(id)
    return creation.create(session, data["name"], dict_at(flow, "version"), Flow(flow).folder_id)


def _can_turn_on(flow: Row) -> bool:
    # Before the first publish the engine answers 500 (api.md 6.5).
    return Flow(flow).is_on is False


def _can_publish(flow: Row) -> bool:
    found = Flow(flow)
    started = found.version.trigger.type not in ("", "EMPTY")
    return started and not found.deleting and (not found.is_published or found.has_draft)


def _stays(flow: Row) -> bool:
    return not Flow(flow).deleting


def _incomplete(session: EngineSession, flow: Row) -> Affected | None:
    """What is missing in the draft, which the engine publishes all the same."""
    trigger = trigger_of(flow)
    report = validity.check_steps(session, trigger)
    listed = validity.lines(report, session.workspace.slug, Flow(flow).id)
    if not listed:
        return None
    missing = missing_apps.of_trees(session, trigger)
    if missing:
        lines: list[Line] = [(app.text, "") for app in missing]
        summary = format_lazy("{}.", missing_apps.no_run_words(missing).title)
        return Affected(summary, [*lines, *listed][:_LISTED])
    steps = len({finding.step for finding in report.findings})
    if not steps:
        return Affected(_("Some steps could not be checked:"), listed[:_LISTED])
    text = ngettext_lazy(
        "%(count)d step is not complete and will probably fail. The engine publishes it all the same:",
        "%(count)d steps are not complete and will probably fail. The engine publishes them all the same:",
        steps,
    )
    return Affected(filled(text, count=steps), listed[:_LISTED])


def _rename(session: EngineSession, id: str, data: NameData) -> Row:
    flow = _operate(session, id, "CHANGE_NAME", displayName=data["name"])
    return {**flow, "renamed": name_of(flow) == data["name"]}


def _published(row: Row, flow: Row) -> Text:
    """Whether what the confirmation said has come true, by the engine's answer."""
    made = Flow(flow)
    if made.published_version_id == made.version.id and made.status == ENABLED:
        return gettext("“%(name)s” is published and on.") % {"name": formats.cut(name_of(row))}
    text = gettext(
        "The engine took the request to publish “%(name)s”, but it is not live. Look at the state of the flow."
    )
    return LastingText(text % {"name": formats.cut(name_of(row))})


def _tag(session: EngineSession, id: str, data: dict[str, object]) -> object:
    """Keep all other metadata, which UPDATE_METADATA replaces (recording `flow_op_update_metadata`)."""
    known = dict_at(session.workflows.get_flow(id), "metadata") | {"tags": data["tags"]}
    metadata = {key: value for key, value in known.items() if key != "tags" or value}
    return _operate(session, id, "UPDATE_METADATA", metadata=metadata or None)


def _delete(session: EngineSession, id: str, data: dict[str, object]) -> dict[str, object]:
    """`copies.answer`, and whether the flow is gone: 0.83 takes a moment if it was published (`flow_del_03_get_right_after`)."""
    with copies.copy_before_deletion(session, "flows", id, data, lambda: _read_copy(session, id)):
        session.workflows.delete_flow(id)
    pages.forget(session)
    usage.forget(session)
    try:
        session.workflows.get_flow(id)
    except EngineError as error:
        return copies.answer(session, data) | {"gone": isinstance(error, NotFound) and bool(error.code)}
    return copies.answer(session, data) | {"gone": False}


def _deletion_impact(session: EngineSession, flow: Row) -> Affected:
    """Launches that have not ended, and everything that goes with the flow or loses its purpose."""
    number = Launch.objects.filter(OPEN, workspace=session.workspace, flow_id=id_at(flow)).count()
    summary: Text = _("No launch is running. Its runs are deleted along with it.")
    if number:
        text = ngettext_lazy(
            "%(count)d launch has not ended yet. Its runs are deleted along with it.",
            "%(count)d launches have not ended yet. Its runs are deleted along with it.",
            number,
        )
        summary = filled(text, count=number)
    callers = usage.affected(session, "flows", flow, _("No flow calls it."), among_others=True)
    return Affected(
        format_lazy("{} {}", callers.summary, summary),
        [*callers.lines, *_lost_state(flow), *_own_rows(session, flow), *_only_here(session, flow)],
    )


def _lost_state(flow: Row) -> Iterator[Line]:
    found = Flow(flow)
    if found.status == ENABLED and found.is_published:
        yield _("It is on: after this, its webhook address, schedule or trigger no longer starts anything."), ""
    if found.has_draft:
        yield _("The draft is newer than what is live. A copy has the draft only."), ""


def _own_rows(session: EngineSession, flow: Row) -> Iterator[Line]:
    """What the console itself has about the flow."""
    key, slug = id_at(flow), session.workspace.slug
    here = {"workspace": session.workspace, "flow_id": key}
    if form := LaunchForm.objects.filter(**here).values_list("published").first():
        text = _("Its launch form, which is published") if form[0] else _("Its launch form, a draft")
        yield text, reverse("form_builder", args=[slug, key])
    rights = LaunchRight.objects.filter(**here).usable(clock.now()).count()
    rights_url = subpage_url("flow_launch_rights", slug, flow) if session.allows(Role.MANAGER) else ""
    watches = Watch.objects.filter(workspace=session.workspace, kind=WatchKind.FLOW, object_id=key).count()
    saved = SavedInputs.objects.filter(**here).count()
    stars = Favourite.objects.filter(**here).count()
    for number, text, url in (
        (rights, ngettext_lazy("%(n)d launch right ends", "%(n)d launch rights end", rights), rights_url),
        (watches, ngettext_lazy("%(n)d person watches it", "%(n)d people watch it", watches), ""),
        (saved, ngettext_lazy("%(n)d set of saved inputs", "%(n)d sets of saved inputs", saved), ""),
        (stars, ngettext_lazy("%(n)d person has it as a favourite", "%(n)d people have it as a favourite", stars), ""),
    ):
        if number:
            yield filled(text, n=number), url


def _only_here(session: EngineSession, flow: Row) -> Iterator[Line]:
    """The connections and tables that no other flow uses; they stay."""
    key, slug = id_at(flow), session.workspace.slug
    known = usage.cached_usage(session, now=True)
    own = next((use for use in known.flows if use.id == key), None)
    if own is None or not known.complete:
        yield _("Not checked: whether other flows use its connections and tables."), ""
        return
    others = [use for use in known.flows if use.id != key]
    for kind, names, text in (
        ("connections", connection_names(session), _("No other flow uses the connection “%(name)s”. It stays.")),
        ("tables", table_names(session), _("No other flow uses the table “%(name)s”. It stays.")),
    ):
        for used in sorted(own.keys(kind).difference(*(use.keys(kind) for use in others))):
            place, name = names.get(used, ("", used))
            yield filled(text, name=name), object_url(slug, kind, place)


def _read_copy(session: EngineSession, id: str) -> Content:
    """The flow's newest version, tags and folder, and what is said about it until it is restored. Raises EngineError."""
    flow = session.workflows.get_flow(id)
    version = dict_at(flow, "version")
    folder = folder_names(session).get(Flow(flow).folder_id, "")
    tags = Flow(flow).tags
    data: dict[str, object] = {
        "version": {key: version[key] for key in TREE if key in version},
        "tags": tags,
        "folder": folder,
    }
    forms = LaunchFormVersion.objects.filter(form__workspace=session.workspace, form__flow_id=id)
    facts = {
        "folder": folder[:200],
        "tags": len(tags),
        "on": Flow(flow).status == ENABLED,
        "published": Flow(flow).is_published,
        "versions": forms.count(),
        "notes": len(dicts_at(version, "notes")),
        "empty": Flow(flow).version.trigger.type == "EMPTY",
    }
    return Content(name_of(flow) or id, data, facts)


def create_from_copy(session: EngineSession, data: Mapping[str, object]) -> str:
    """Create the flow of a copy (_read_copy) without its steps, in the folder of that name if any; return its id. Raises EngineError."""
    folders = {name: key for key, name in folder_names(session).items()}
    folder = folders.get(text_at(data, "folder"), "")
    flow = session.workflows.create_flow(_name_in_copy(data), folder_id=folder or None)
    pages.forget(session)
    return Flow(flow).id


def fill_from_copy(session: EngineSession, id: str, data: Mapping[str, object]) -> None:
    """Give the flow the steps and tags of its copy; a second time does no harm. Raises EngineError, ValidationError."""
    tags = [str(tag) for tag in list_at(data, "tags")]
    flow, version = session.workflows.get_flow(id), dict_at(data, "version")
    operation = creation.import_operation(session, flow, version, _name_in_copy(data))
    creation.import_into(session, id, flow, operation)
    usage.forget(session)
    if tags:
        _tag(session, id, {"tags": tags})


def _name_in_copy(data: Mapping[str, object]) -> str:
    return text_at(data, "version.displayName") or gettext("Imported flow")


ACTIONS = (
    Action(
        "turn-on",
        _("Turn on"),
        "toggle-right",
        lambda session, key, _data: _operate(session, key, "CHANGE_STATUS", status="ENABLED"),
        status_after="ENABLED",
        visible=_can_turn_on,
        done=_("“%(name)s” is on."),
        in_rows=True,
        bulk=Bulk(_("The flows are turned on: automatic ones start again, and the others can be launched.")),
    ),
    Action(
        "publish",
        _("Publish"),
        "upload",
        lambda session, key, _data: _operate(session, key, "LOCK_AND_PUBLISH"),
        form=flow_forms.Publish,
        status_after="ENABLED",
        confirm=_("The draft goes live, and the flow is turned on. Launches run it from then on."),
        impact=_incomplete,
        button=_("Publish “%(name)s”"),
        visible=_can_publish,
        primary=always,
        done=_published,
        in_rows=True,
        bulk=Bulk(
            _(
                "The drafts go live, and the flows are turned on. Launches run them from then on. Drafts "
                "with steps that are not complete are published too; such steps will probably fail."
            )
        ),
    ),
    rename_action(
        _rename,
        initial=lambda row: {"name": name_of(row)},
        confirm=lambda row: (
            gettext("The new name is part of the draft. Runs show it after the draft is published.")
            if Flow(row).is_published
            else ""
        ),
        visible=_stays,
        done=lambda _row, answer: (
            gettext("The flow is renamed.")
            if answer["renamed"]
            else LastingText(gettext("The engine took the name, but it did not rename the flow. Try it again."))
        ),
    ),
    Action(
        "move",
        _("Move to a folder"),
        "folder-open",
        lambda session, key, data: _operate(session, key, "CHANGE_FOLDER", folderId=data["folder"] or None),
        form=flow_forms.FolderChoice,
        initial=lambda row: {"folder": row.get("folderId") or ""},
        button=_("Move"),
        visible=_stays,
        done=_("The flow is moved."),
        in_rows=True,
        bulk=Bulk(
            _("The flows are moved to the folder that you choose. Nothing else about them changes."),
        ),
    ),
    Action(
        "tag",
        _("Change the tags"),
        "tags",
        _tag,
        form=flow_forms.FlowTags,
        initial=lambda row: {"tags": ", ".join(Flow(row).tags)},
        button=_("Save the tags"),
        visible=_stays,
        done=_("The tags are saved."),
    ),
    Action(
        "duplicate",
        _("Duplicate"),
        "copy",
        _duplicate,
        creates="flows",
        form=NameForm,
        initial=lambda row: {"name": gettext("Copy of %(name)s") % {"name": name_of(row)[:190]}},
        confirm=_("A new flow with the same steps is created. It is off, and not published."),
        button=_("Create the copy"),
        visible=_stays,
        done=lambda _row, flow: gettext("The copy “%(name)s” was created.") % {"name": formats.cut(name_of(flow))},
        success_url=lambda slug, _row, flow: flow_url(slug, pick(flow, "id")),
        in_rows=True,
    ),
    creation.IMPORT_HERE,
    editing_actions.USE_VERSION,
    Action(
        "turn-off",
        _("Turn off"),
        "toggle-left",
        lambda session, key, _data: _operate(session, key, "CHANGE_STATUS", status="DISABLED"),
        status_after="DISABLED",
        stops=True,
        confirm=_("“%(name)s” does not start any more, by a launch or automatically, until it is turned on again."),
        button=_("Turn off “%(name)s”"),
        visible=lambda flow: Flow(flow).status == ENABLED and not Flow(flow).deleting,
        done=_("“%(name)s” is off."),
        in_rows=True,
        bulk=Bulk(_("The flows do not start any more, by a launch or automatically, until they are turned on again.")),
    ),
    delete_action(
        _delete,
        form=copies.DeleteForm,
        confirm=lambda flow: (
            gettext(
                "The flow “%(name)s” is deleted with all its versions. A copy of the newest one is kept for "
                "%(days)d days under “Recently deleted”. A restored flow is off and has a new ID and webhook "
                "address; runs, launch rights and subscriptions are not restored."
            )
            % {"name": formats.cut(name_of(flow)), "days": deleted_objects.days()}
        ),
        button=_("Delete the flow “%(name)s”"),
        impact=_deletion_impact,
        visible=_stays,
        done=lambda _row, answer: copies.done(
            gettext("The flow is deleted.")
            if answer["gone"]
            else gettext("The engine is deleting the flow. That takes a moment."),
            answer,
        ),
        bulk=Bulk(
            _(
                "The flows are deleted with all their versions and their runs. A copy of each is kept for "
                "some time under “Recently deleted”. A restored flow is off and has a new ID and webhook "
                "address; runs, launch rights and subscriptions are not restored."
            ),
        ),
    ),
    creation.NEW,
    creation.IMPORT_NEW,
)
