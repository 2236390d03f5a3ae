"""Results of the search in groups: of the console, and of the engine."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _, pgettext

from workflows_ui.core import formats
from workflows_ui.core.crypto import CannotOpen
from workflows_ui.credentials.services import capabilities, clients, credentials, engine_session
from workflows_ui.credentials.services.engine_session import EngineSession
from workflows_ui.engine import AddressRefused, EngineError, Forbidden, NoRoute, NotFound, NotInPlan
from workflows_ui.engine_objects.runs import Run
from workflows_ui.flows import launchable
from workflows_ui.members.models import Role
from workflows_ui.members.services import access as member_access, teams
from workflows_ui.members.services.access import Access
from workflows_ui.resource_admin import recents
from workflows_ui.resource_admin.resource import RESOURCES, Query, Resource, Row
from workflows_ui.run_index.services import indexes, uses
from workflows_ui.runs import indexed
from workflows_ui.runs.reading import error_of, name_of
from workflows_ui.saved_views import services as saved_views
from workflows_ui.search import services
from workflows_ui.search.services import MOST, Text
from workflows_ui.web import messages, navigation
from workflows_ui.web.requests import ConsoleRequest


@dataclass(frozen=True)
class Entry:
    label: str | Promise
    url: str
    icon: str
    detail: str | Promise = ""


@dataclass(frozen=True)
class Group:
    """Results of one kind; `name` is part of the ids of its elements."""

    name: str
    label: str | Promise
    entries: Sequence[Entry]


def console_groups(request: ConsoleRequest, text: Text) -> list[Group]:
    """What the console holds. Without a text the flows and launches of last, and the pages."""
    access, slug = request.access, request.access.workspace.slug
    flows = services.launchable_flows(access, text.after(_launch_label("")))
    launches = services.latest_launches(access, text)
    groups = [
        Group("launch", pgettext("search", "Launch"), [_launch(slug, key, name) for key, name in flows]),
        Group("launches", _("Launches"), [
            Entry(
                row.flow_name[:120], reverse("launch", args=[slug, row.id]), messages.launch_state(row.state, row.reason).icon,
                f"{_outcome(messages.launch_state(row.state, row.reason).word, row.asked_at)} · {row.person[:60]}",
            )
            for row in launches
        ]),
        Group("recent", _("Recently opened"), list(_recent(access, text))),
        *_indexed(access, text),
        Group("indexed-runs", _("Runs with these words"), list(_runs(access, text, {row.run_id for row in launches}))),
        Group("pages", _("Pages"), list(_pages(request, text))[: None if not text.words else MOST]),
        Group("views", _("Saved views"), list(_views(request, text))),
        Group("credentials", _("Credentials"), list(_credentials(access, text))),
        Group("people", _("People"), [
            Entry(user.label[:120], _person_url(access, user.pk), "user", user.email)
            for user in services.people(access, text)
        ]),
        Group("teams", _("Teams"), list(_teams(access, text))),
        Group("workspaces", _("Workspaces"), list(_workspaces(access, text))),
    ]  # fmt: skip
    return [group for group in groups if group.entries]


def engine_groups(access: Access, text: Text) -> tuple[list[Group], str | Promise]:
    """What the engine finds, by the declared resources; and what is to be said if it could not be asked."""
    missing = capabilities.read_capabilities(access.workspace)
    groups: list[Group] = []
    try:
        session = engine_session.open_session(access, quick=True)
        if indexes.is_silent(indexes.for_session(session)):
            return [], _("The engine does not answer. Above is what the run index knew before.")
        shown = {(kind, key) for kind, key, _row in _in_index(session, access, text)}
        for resource in RESOURCES.values():
            if not access.sees(resource.name) or not access.allows(resource.role) or resource.needs in missing:
                continue
            known = {key for kind, key in shown if kind == resource.name}
            entries = _found(resource, session, access, text, known) if len(known) < MOST else []
            if entries:
                groups.append(Group(resource.name, resource.label_plural, entries))
        groups[:0] = _acts(session, access, text, missing)
        # Last, since a long list takes several calls; shown first.
        if access.allows(Role.LAUNCHER):
            groups[:0] = _launchable(session, access, text.after(_launch_label("")))
    except (EngineError, clients.NoCredential, CannotOpen, AddressRefused) as problem:
        return groups, messages.error_message(problem).title
    return groups, ""


def _launchable(session: EngineSession, access: Access, text: Text) -> Iterator[Group]:
    """The flows that home lists, without those that the console finds itself."""
    known = dict(services.launchable_flows(access, text))
    flows = launchable.launchable_flows(session, again=True).flows
    found = text.best((key, name) for key, name in flows if key not in known)
    if found:
        label = _("More flows to launch") if known else pgettext("search", "Launch")
        yield Group("launchable", label, [_launch(access.workspace.slug, *flow) for flow in found])


def _launch(slug: str, key: str, name: str) -> Entry:
    return Entry(_launch_label(name[:120]), reverse("flow_launch", args=[slug, key]), "rocket")


def _launch_label(flow: str) -> str:
    return _("Launch %(flow)s") % {"flow": flow}


def _acts(session: EngineSession, access: Access, text: Text, missing: Collection[str]) -> Iterator[Group]:
    """Actions on objects that are named after the action's own words, as in “turn off order intake”."""
    slug = access.workspace.slug
    entries: list[Entry] = []
    for resource in RESOURCES.values():
        if not resource.search_field or not access.sees(resource.name) or resource.needs in missing:
            continue
        for action in resource.actions:
            rest = text.after(str(action.label))
            if (
                not action.collection
                and rest.words
                and len(text.words) - len(rest.words) == len(str(action.label).split())
                and access.allows(max(action.role, resource.role, key=lambda role: role.rank))
                and action.needs not in missing
            ):
                entries += [
                    Entry(f"{action.label}: {found.label}", action.url(slug, resource.name, key), action.icon)
                    for key, found in _found_by_id(resource, session, access, rest)
                    if rest.matches(found.label)
                ]
    if entries:
        yield Group("acts", _("Actions"), entries[:MOST])


def _recent(access: Access, text: Text) -> Iterator[Entry]:
    """The objects that were opened last, before anything is typed."""
    if text.words or access.guest:
        return
    for recent in recents.listed(access):
        resource = recent.declared
        name = recent.name or str(resource.unnamed)
        yield Entry(name, resource.url(access.workspace.slug, recent.id), resource.icon, resource.label)


def _in_index(session: EngineSession, access: Access, text: Text) -> list[tuple[str, str, Row]]:
    """(resource, id, what is kept) of what the run index finds by name, of the resources whose pages the person may open."""
    kinds = [
        resource.name
        for resource in RESOURCES.values()
        if resource.index_filters is not None and access.sees(resource.name) and access.allows(resource.role)
    ]
    return [*uses.search(session, kinds, text.words, MOST)]


def _indexed(access: Access, text: Text) -> Iterator[Group]:
    """What the run index finds by name, without a call of the engine."""
    if not text.words or access.guest:
        return
    try:
        session = engine_session.open_session(access, quick=True)
    except (clients.NoCredential, CannotOpen, AddressRefused):
        return
    found: dict[str, list[Entry]] = {}
    for kind, key, row in _in_index(session, access, text):
        resource = RESOURCES[kind]
        name = formats.cut(resource.full_title(row)) or key
        found.setdefault(kind, []).append(Entry(name, resource.url(access.workspace.slug, key), resource.icon))
    for kind, entries in found.items():
        yield Group(f"indexed-{kind}", RESOURCES[kind].label_plural, entries)


def _found(
    resource: Resource, session: EngineSession, access: Access, text: Text, shown: Collection[str]
) -> list[Entry]:
    """What the engine finds, without what the run index has `shown`."""
    found = _found_by_id(resource, session, access, text)
    return [entry for key, entry in found if key not in shown][:MOST]


def _found_by_id(resource: Resource, session: EngineSession, access: Access, text: Text) -> list[tuple[str, Entry]]:
    """What the engine finds, by id."""
    names: dict[str, str] = {}
    try:
        if resource.search_by_id and text.id:
            names = _names(resource, session, [resource.get(session, text.id)])
    except (NotFound, Forbidden):
        pass
    try:
        if resource.search_field:
            query = Query({resource.search_field: text.typed}, MOST)
            names |= _names(resource, session, resource.list(session, query).rows)
            names |= dict(text.best(_known(resource, session).items()))
    except (NotFound, Forbidden, NoRoute, NotInPlan):
        pass  # Kinds that this credential or engine has not got.
    slug = access.workspace.slug
    return [(key, Entry(name or key, resource.url(slug, key), resource.icon)) for key, name in names.items()]


def _known(resource: Resource, session: EngineSession) -> dict[str, str]:
    """The newest objects, at most a minute old: the engine itself compares names with their accents."""
    query = Query({}, resource.batch_size)
    load = partial(_names, resource, session)
    return session.remember(f"search:{resource.name}", 60, lambda: load(resource.list(session, query).rows))


def _names(resource: Resource, session: EngineSession, rows: Sequence[Row]) -> dict[str, str]:
    found = {resource.key(row): formats.cut(resource.full_title(row)) for row in resource.masked(session, rows)}
    return {key: name for key, name in found.items() if key}


def _pages(request: ConsoleRequest, text: Text) -> Iterator[Entry]:
    """Pages of the menu, actions of their lists and of the objects in them, and the person's own pages."""
    access, slug = request.access, request.access.workspace.slug
    frame = navigation.Frame(request)
    lines = [line for group in frame.groups for line in group["lines"]]
    for line in lines:
        if text.matches(line["label"]):
            yield Entry(line["label"], line["url"], line["icon"])
    if not text.words:
        return
    urls = {line["url"] for line in lines}
    for resource in RESOURCES.values():
        if resource.url(slug) in urls:
            yield from _actions(resource, access, text)
    for label, url, icon in _other_pages(access):
        if text.matches(label):
            yield Entry(label, url, icon)


def _other_pages(access: Access) -> Iterator[tuple[str, str, str]]:
    """Pages that the menu does not list, as (label, URL, icon): forms of plain pages, the person's own pages, and those of superusers."""
    slug = access.workspace.slug
    if access.allows(Role.MANAGER):
        yield _("Add people"), reverse("member_add", args=[slug]), "user-plus"
        yield _("Give a launch right"), reverse("launch_right_choose", args=[slug]), "plus"
        yield _("Invite"), reverse("invite", args=[slug]), "user-plus"
        yield _("Pause launching"), f"{reverse('workspace_settings', args=[slug])}#id_launching_paused", "circle-pause"
    yield _("Your account"), reverse("profile"), "circle-user-round"
    yield _("Notifications"), reverse("notices"), "bell"
    yield _("Notification settings"), reverse("notification_settings"), "bell"
    yield _("Change password"), reverse("account_change_password"), "lock"
    yield _("Two-factor authentication"), reverse("mfa_index"), "shield"
    yield _("Sessions"), reverse("sessions"), "monitor"
    yield _("Add a credential"), reverse("credential_add"), "plus"
    yield _("Connect your engine"), reverse("connect"), "plug"
    yield _("All workspaces"), reverse("home", query={"all": "1"}), "layout-grid"
    yield _("Sign out"), reverse("account_logout"), "log-out"
    if access.user.is_superuser:
        yield _("New team"), reverse("team_create"), "plus"
        yield _("Audit of the whole console"), reverse("audit_everywhere"), "clipboard-list"
        yield _("Administration"), reverse("admin:index"), "shield"


def _actions(resource: Resource, access: Access, text: Text) -> Iterator[Entry]:
    """Actions of the list lead to their form, those of an object to the list, where it is chosen; not those of its parts."""
    slug = access.workspace.slug
    for action in resource.actions:
        if action.tab or not access.allows(action.role) or not text.matches(action.label):
            continue
        if action.collection:
            yield Entry(action.label, action.url(slug, resource.name), action.icon, resource.label_plural)
        else:
            hint = _("%(resource)s: choose one in the list") % {"resource": resource.label_plural}
            yield Entry(action.label, resource.url(slug), action.icon, hint)


def _credentials(access: Access, text: Text) -> Iterator[Entry]:
    if not text.words or access.guest or not access.sees("credentials"):
        return
    names = {str(row.pk): row.name for row in credentials.visible(access)}
    for key, name in text.best(names.items()):
        yield Entry(name[:120], reverse("credential", args=[access.workspace.slug, key]), "key-round")


def _views(request: ConsoleRequest, text: Text) -> Iterator[Entry]:
    """Views of the lists in the person's menu: their own, and those that others share with them."""
    access = request.access
    if not text.words or access.guest:
        return
    lists = {line["url"] for group in navigation.Frame(request).groups for line in group["lines"]}
    rows = saved_views.visible_views(saved_views.workspace_scope(access))
    views = {str(row.pk): row for row in rows if saved_views.list_url(access.workspace, row.list_path) in lists}
    for key, name in text.best((key, row.name) for key, row in views.items()):
        path = views[key].list_path
        url = saved_views.list_url(access.workspace, path, saved_views.view_query(views[key]))
        yield Entry(name, url, "bookmark", navigation.label(path))


def _teams(access: Access, text: Text) -> Iterator[Entry]:
    """The teams whose pages the person may open."""
    if not text.words:
        return
    names = teams.visible(access.user).values_list("pk", "name")
    for key, name in text.best((str(key), name) for key, name in names):
        yield Entry(name[:120], reverse("team", args=[key]), "users")


def _workspaces(access: Access, text: Text) -> Iterator[Entry]:
    if not text.words:
        return
    for workspace in member_access.workspaces(access.user):
        if workspace != access.workspace and text.matches(workspace.name):
            yield Entry(
                workspace.name[:120],
                reverse("workspace", args=[workspace.slug]),
                "layers",
                navigation.environment(workspace),
            )


def _outcome(state: object, moment: datetime | None) -> str:
    """How something ended, and when: “Succeeded, today 10:42”."""
    if moment is None:
        return str(state)
    return _("%(state)s, %(time)s") % {"state": state, "time": formats.day_and_time(moment)}


def _runs(access: Access, text: Text, known: Collection[str]) -> Iterator[Entry]:
    """Runs in the index with these words, and the list of all of them; without the runs of launches that are `known`."""
    resource = RESOURCES["runs"]
    if not text.words or not access.sees("runs") or not access.allows(Role.BUILDER):
        return
    try:
        session = engine_session.open_session(access, quick=True)
        rows = indexed.search(session, text.typed, MOST)
    except (clients.NoCredential, CannotOpen, AddressRefused):
        return
    found = resource.masked(session, rows)
    for row in found:
        if resource.key(row) in known:
            continue
        badge = messages.run_state(row.get("status"))
        outcome = _outcome(badge.word, formats.moment(row.get("created")))
        yield Entry(
            (name_of(Run(row)) or resource.full_title(row))[:120],
            resource.url(access.workspace.slug, resource.key(row)),
            badge.icon,
            " · ".join(filter(None, (outcome, error_of(Run(row))[:120]))),
        )
    if len(found) == MOST:
        yield Entry(_("All runs with these words"), resource.url(access.workspace.slug, search=text.typed), "search")


def _person_url(access: Access, person_id: int) -> str:
    """The person's page, which only superusers have; else their launches."""
    if access.user.is_superuser:
        return reverse("person", args=[person_id])
    return reverse("launches", args=[access.workspace.slug], query={"person": person_id})
