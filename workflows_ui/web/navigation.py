"""The frame of every page: menu, workspace switcher, language and theme.

Pages that belong to no workspace have the menu of the workspace that the person was in last.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from operator import attrgetter
from typing import TypedDict

from django.conf import settings
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _, pgettext, pgettext_lazy

from workflows_ui.accounts.models import User
from workflows_ui.core.text import Text
from workflows_ui.credentials.services import capabilities
from workflows_ui.members.models import Colour, Role, Workspace
from workflows_ui.members.services import access
from workflows_ui.members.services.access import Access
from workflows_ui.notifications import services as notifications
from workflows_ui.run_index.services import indexes
from workflows_ui.web import forwarding, responses
from workflows_ui.web.access import last_access
from workflows_ui.web.links import view_url

THEME_COOKIE = "theme"
THEMES = ("light", "dark")
#: Cookies of the menu, which app.js writes: the names of its folded groups, and whether it shows icons only.
FOLDED_COOKIE, NARROW_COOKIE = "folded", "narrow"
#: Names of URLs whose query string contains a secret code, which pages must not repeat.
WITH_SECRET_QUERY = frozenset({"single_sign_on_back", "app_sign_in_back"})

#: Groups of the menu, in their order.
GROUPS: dict[str, Text] = {
    "launch": "",
    "watch": pgettext_lazy("menu", "Watch"),
    "build": pgettext_lazy("menu", "Build"),
    "team": pgettext_lazy("menu", "Team"),
}


@dataclass(frozen=True)
class Entry:
    """One entry of the menu. `view` is a URL name that takes the workspace's slug; `resource` is set for pages of a resource."""

    group: str
    label: Text
    icon: str
    view: str
    resource: str = ""
    role: Role = Role.VIEWER
    guests: bool = False  # Also shown to guests, who have only launch rights.
    everywhere: bool = False  # The page belongs to no workspace: its URL has no slug.
    superusers: bool = False
    first: bool = False  # A main entry. For launchers, the others are folded under "More".
    indexed: bool = False  # Shown only to those who may see the workspace's run index.
    needs: str = ""  # A capability (credentials.services.capabilities.NAMES) without which the entry is not shown.

    @property
    def page(self) -> str:
        """The page of the workspace (members.services.access.page_of); "" if it belongs to none."""
        return "" if self.everywhere else access.page_of(self.url("-"))

    def url(self, slug: str) -> str:
        arguments = () if self.everywhere else (slug, self.resource) if self.resource else (slug,)
        return view_url(self.view, *arguments)


#: The plain pages of a workspace; declared resources add theirs by `install`.
PLAIN = (
    Entry("launch", _("Launches"), "rocket", "launches", guests=True, first=True),
    Entry("team", _("Credentials"), "key-round", "credentials"),
    Entry("team", _("Members"), "users", "members", role=Role.MANAGER),
    Entry("team", _("Teams"), "users-round", "teams", everywhere=True),
    Entry("team", _("People"), "contact", "people", everywhere=True, superusers=True),
    Entry("team", _("Launch rights"), "calendar-clock", "launch_rights", role=Role.MANAGER),
    Entry("team", _("Settings"), "settings", "workspace_settings", role=Role.MANAGER),
    Entry("team", _("Audit"), "clipboard-list", "audit", role=Role.MANAGER),
)
#: Plain pages below the resources of their group.
BELOW = (
    Entry("watch", pgettext_lazy("page", "Failures"), "repeat", "failures", indexed=True),
    Entry("watch", _("Alarms"), "bell-ring", "alarms", indexed=True),
    Entry("watch", _("On failure"), "life-buoy", "failure_rules", role=Role.BUILDER),
    Entry("watch", _("Week report"), "calendar-days", "report", indexed=True),
    Entry("watch", _("Jobs"), "list-checks", "jobs"),
    Entry("build", _("Recently deleted"), "trash-2", "recently_deleted", role=Role.BUILDER),
)
_installed: list[Entry] = []


def install(entries: Sequence[Entry]) -> None:
    """Set the menu: the plain pages and these entries, in the given order within each group. Called once, at start-up."""
    _installed[:] = sorted([*PLAIN, *entries, *BELOW], key=lambda entry: list(GROUPS).index(entry.group))


def label(path: str) -> Text:
    """The label of the menu entry that a path in a workspace belongs to; "" for none."""
    page = access.page_of(path)
    return next((entry.label for entry in _installed if page and entry.page == page), "")


def hideable() -> dict[str, Text]:
    """The pages that a workspace may hide from launchers, with their labels, in the order of the menu.

    Launches are not among them: launching leads there.
    """
    shown = [entry for entry in _installed if Role.LAUNCHER.includes(entry.role) and not entry.guests and entry.page]
    return {entry.page: entry.label for entry in shown}


#: Names of the URLs of pages that show administrators how the console is set up.
_ADMINISTERED = frozenset({"admin:index", "home", "people", "workspace", "workspace_settings"})


class Line(TypedDict):
    """An entry of the menu, and whether its page is the current one or above it."""

    label: Text
    icon: str
    url: str
    active: bool


class Group(TypedDict):
    """A group of the menu: whether the current page is in it, and whether it is unfolded."""

    name: str
    label: Text
    lines: list[Line]
    active: bool
    open: bool


class Frame:
    """Context of base.html; everything is computed on access, so that fragments cost nothing."""

    languages = settings.LANGUAGES

    def __init__(self, request: HttpRequest) -> None:
        self._request = request

    @property
    def theme(self) -> str:
        """The theme chosen in this browser, or "" for the preference of the browser."""
        theme = self._request.COOKIES.get(THEME_COOKIE, "")
        return theme if theme in THEMES else ""

    @property
    def here(self) -> str:
        """The URL of this page for forms that return to it; the path alone if the query string must not be repeated."""
        match = self._request.resolver_match
        if self._request.method not in {"GET", "HEAD"} or (match is not None and match.url_name in WITH_SECRET_QUERY):
            return self._request.path
        return self._request.get_full_path()

    @property
    def focus(self) -> str:
        """The attribute of the element that gets the focus: browsers refuse `autofocus` in what is inserted into a page."""
        return "data-focus" if getattr(self._request, "htmx", False) else "autofocus"

    @property
    def person(self) -> User | None:
        user = getattr(self._request, "user", None)
        return user if user is not None and user.is_authenticated else None

    @cached_property
    def unread(self) -> int:
        """The number of unread notices; those that link to the current page are marked as read."""
        return notifications.unread(self.person, responses.seen_at(self._request)) if self.person else 0

    @cached_property
    def forwarding(self) -> forwarding.Note | None:
        """For administrators, on the pages where they look after the console: requests with headers of a proxy that is not trusted."""
        match = self._request.resolver_match
        if not (self.person and self.person.is_superuser) or match is None or match.view_name not in _ADMINISTERED:
            return None
        return forwarding.known(self._request)

    @property
    def access(self) -> Access | None:
        return getattr(self._request, "access", None)

    @property
    def workspace(self) -> Workspace | None:
        return self.access.workspace if self.access else None

    @property
    def surroundings(self) -> Text:
        return environment(self.menu_access.workspace) if self.menu_access else ""

    @property
    def builds(self) -> bool:
        return self.access is not None and self.access.allows(Role.BUILDER)

    @cached_property
    def menu_access(self) -> Access | None:
        """The access to this page's workspace, else to the one of the person's last page."""
        if self.access or not self.person:
            return self.access
        return last_access(self._request, self.person)

    @cached_property
    def workspaces(self) -> list[Workspace]:
        return access.listed_workspaces(self.person) if self.person else []

    @cached_property
    def groups(self) -> list[Group]:
        """The menu of the workspace for the person's role; for launchers, all but the main entries are in one folded group."""
        visible = [entry for entry in _installed if self._is_visible(entry)]
        if self._collapses:
            more = self._group("more", pgettext("menu", "More"), [entry for entry in visible if not entry.first])
            more["open"] = more["active"]
            return [self._group("launch", "", [entry for entry in visible if entry.first]), more]
        by_group = groupby(visible, key=attrgetter("group"))
        return [self._group(name, GROUPS[name], entries) for name, entries in by_group]

    @property
    def at_home(self) -> bool:
        """Whether this page is reached from a launcher's home, so that the folded entries stay closed."""
        match, below = self._request.resolver_match, {"flow_launch", "flow_does", "flow_earlier", "saved_inputs"}
        return self._collapses and match is not None and match.url_name in below

    @property
    def narrow(self) -> bool:
        """Whether the menu shows icons only."""
        return NARROW_COOKIE in self._request.COOKIES

    @property
    def _collapses(self) -> bool:
        return self.menu_access is not None and self.menu_access.role == Role.LAUNCHER

    def _group(self, name: str, label: Text, entries: Iterable[Entry]) -> Group:
        lines = [self._line(entry) for entry in entries]
        active = not self.at_home and any(line["active"] for line in lines)
        folded = self._request.COOKIES.get(FOLDED_COOKIE, "").split("-")
        return {"name": name, "label": label, "lines": lines, "active": active, "open": active or name not in folded}

    def _line(self, entry: Entry) -> Line:
        url = entry.url(self.menu_access.workspace.slug if self.menu_access else "")
        return {"label": entry.label, "icon": entry.icon, "url": url, "active": self._request.path.startswith(url)}

    @cached_property
    def everywhere(self) -> list[Line]:
        """The pages that belong to no workspace, for people who were in none yet."""
        if self.person is None:
            return []
        superuser = self.person.is_superuser
        return [self._line(entry) for entry in _installed if entry.everywhere and (superuser or not entry.superusers)]

    def _is_visible(self, entry: Entry) -> bool:
        found = self.menu_access
        if found is None or (entry.superusers and not found.user.is_superuser) or entry.needs in self._missing:
            return False
        if not found.sees(entry.page):
            return False
        if not found.allows(entry.role) and not (entry.guests and found.guest):
            return False
        return not entry.indexed or self._sees_index

    @cached_property
    def _sees_index(self) -> bool:
        found = self.menu_access
        if found is None or not hasattr(found.workspace, "run_index"):
            return False
        return indexes.readable(found.workspace, found.user.pk) is not None

    @cached_property
    def _missing(self) -> Collection[str]:
        """The capabilities that the workspace's engine is known to lack."""
        return capabilities.read_capabilities(self.menu_access.workspace) if self.menu_access else ()


def environment(workspace: Workspace) -> Text:
    """The label of a workspace's environment: practice, the named environment, its colour, or the host of its address."""
    if workspace.practice:
        return _("Practice engine")
    if workspace.environment:
        return ENVIRONMENT_LABELS.get(workspace.environment, workspace.environment)
    if workspace.colour:
        return Colour(workspace.colour).label
    return workspace.address.split("://", 1)[-1].split("/", 1)[0]


ENVIRONMENT_LABELS: dict[str, Text] = {
    "develop": pgettext_lazy("environment", "Development"),
    "sandbox": pgettext_lazy("environment", "Sandbox"),
    "stable": pgettext_lazy("environment", "Live"),
    "prodv2": pgettext_lazy("environment", "Live (v2)"),
}


def frame(request: HttpRequest) -> dict[str, object]:
    """Context processor: `frame` in every template."""
    return {"frame": Frame(request)}
