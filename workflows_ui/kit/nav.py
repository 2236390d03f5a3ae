"""What surrounds every page: the menu as data, the workspace switcher, language and theme."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from workflows_ui.kit import respond
from workflows_ui.models import Colour, Role, User, Workspace
from workflows_ui.services import access, notices

THEME_COOKIE = "theme"
THEMES = ("light", "dark")
#: Names of addresses whose query holds what opens something: no page repeats it.
BY_A_CODE = frozenset({"single_sign_on_back", "app_sign_in_back"})

#: Groups of the menu, in their order.
GROUPS: dict[str, str | Promise] = {
    "launch": pgettext_lazy("menu", "Launch"),
    "watch": pgettext_lazy("menu", "Watch"),
    "build": pgettext_lazy("menu", "Build"),
    "team": pgettext_lazy("menu", "Team"),
}


@dataclass(frozen=True)
class Entry:
    """One line of the menu. `view` is a URL name that takes the workspace's slug; a resource's entry names the resource too."""

    group: str
    label: str | Promise
    icon: str
    view: str
    resource: str = ""
    role: Role = Role.VIEWER
    #: Shown also to guests, whom a launch right lets in.
    guests: bool = False
    #: The page belongs to no workspace: its address takes no slug.
    everywhere: bool = False
    superusers: bool = False
    #: What everybody comes for. For launchers, the rest is folded under "More".
    first: bool = False

    def url(self, slug: str) -> str:
        """The address in the workspace with this slug."""
        if self.everywhere:
            return reverse(self.view)
        named = {"resource": self.resource} if self.resource else {}
        return reverse(self.view, kwargs={"slug": slug, **named})


#: The plain pages of a workspace; declared resources add theirs by `install`.
PLAIN = (
    Entry("launch", _("Launches"), "rocket", "launches", guests=True, first=True),
    Entry("team", _("Credentials"), "key", "credentials"),
    Entry("team", _("Members"), "users", "members", role=Role.MANAGER),
    Entry("team", _("Teams"), "people-group", "teams", everywhere=True),
    Entry("team", _("People"), "address-book", "people", everywhere=True, superusers=True),
    Entry("team", _("Launch rights"), "user-clock", "launch_rights", role=Role.MANAGER),
    Entry("team", _("Settings"), "gear", "workspace_settings", role=Role.MANAGER),
    Entry("team", _("Audit"), "clipboard-list", "audit", role=Role.MANAGER),
)
#: Plain pages that stand below the resources of their group.
BELOW = (Entry("watch", _("Jobs"), "list-check", "jobs"),)
_installed: list[Entry] = [*PLAIN, *BELOW]


def install(entries: Sequence[Entry]) -> None:
    """Sets the menu: the plain pages and these entries, in the order given within each group. Called once, at start."""
    _installed[:] = [*PLAIN, *entries, *BELOW]


@dataclass(frozen=True)
class Line:
    """An entry made ready for one person and page."""

    label: str | Promise
    icon: str
    url: str
    active: bool


@dataclass(frozen=True)
class Group:
    """A titled part of the menu; never empty."""

    label: str | Promise
    lines: list[Line]


class Frame:
    """What base.html asks for; everything is worked out when asked, so that a fragment costs nothing."""

    def __init__(self, request: HttpRequest) -> None:
        self._request = request

    @property
    def theme(self) -> str:
        """The theme chosen in this browser, or empty: then the browser's own wish holds."""
        chosen = self._request.COOKIES.get(THEME_COOKIE, "")
        return chosen if chosen in THEMES else ""

    @property
    def languages(self) -> list[tuple[str, str]]:
        """Codes and own names of the languages."""
        return list(settings.LANGUAGES)

    @property
    def here(self) -> str:
        """This page's address, for forms that lead back to it; only where a GET of it makes sense."""
        found = self._request.resolver_match
        if self._request.method not in {"GET", "HEAD"} or (found is not None and found.url_name in BY_A_CODE):
            return self._request.path
        return self._request.get_full_path()

    @property
    def person(self) -> User | None:
        """Who is signed in."""
        user = getattr(self._request, "user", None)
        return user if user is not None and user.is_authenticated else None

    @cached_property
    def unread(self) -> int:
        """How many notices the person has not read. What leads to the page that they look at is read by that."""
        return notices.unread(self.person, respond.seen_at(self._request)) if self.person else 0

    @property
    def access(self) -> access.Access | None:
        """The person's place in the workspace of this page."""
        return getattr(self._request, "access", None)

    @property
    def workspace(self) -> Workspace | None:
        """The workspace of this page."""
        return self.access.workspace if self.access else None

    @property
    def surroundings(self) -> str | Promise:
        """The workspace's environment in words."""
        return environment(self.workspace) if self.workspace else ""

    @property
    def manages(self) -> bool:
        """Whether the person manages the workspace that the page is in."""
        return self.access is not None and self.access.allows(Role.MANAGER)

    @cached_property
    def workspaces(self) -> list[Workspace]:
        """The person's workspaces."""
        return list(access.workspaces(self.person)) if self.person else []

    @cached_property
    def groups(self) -> list[Group]:
        """The menu of this workspace, as far as the person's role reaches; of launchers only what they come for."""
        return self._grouped([entry for entry in _installed if entry.first or not self._folds])

    @cached_property
    def more(self) -> list[Group]:
        """What launchers may look at besides, folded away; empty for everybody else."""
        return self._grouped([entry for entry in _installed if not entry.first]) if self._folds else []

    @property
    def at_home(self) -> bool:
        """Whether this page is where the person's home leads: a launcher's way to a form is no visit among what is folded away."""
        found = self._request.resolver_match
        return self._folds and found is not None and found.url_name in {"flow_launch", "flow_does", "saved_inputs"}

    @property
    def more_open(self) -> bool:
        """Whether this page is among what is folded away."""
        return not self.at_home and any(line.active for group in self.more for line in group.lines)

    @property
    def _folds(self) -> bool:
        return self.access is not None and self.access.role == Role.LAUNCHER

    def _grouped(self, entries: Sequence[Entry]) -> list[Group]:
        if self.access is None:
            return []
        slug = self.access.workspace.slug
        groups = []
        for name, label in GROUPS.items():
            urls = [(entry, entry.url(slug)) for entry in entries if entry.group == name and self._shows(entry)]
            if urls:
                path = self._request.path
                lines = [Line(entry.label, entry.icon, url, path.startswith(url)) for entry, url in urls]
                groups.append(Group(label, lines))
        return groups

    @cached_property
    def everywhere(self) -> list[Line]:
        """The pages that belong to no workspace, for the menu of those pages."""
        if self.person is None:
            return []
        entries = [one for one in _installed if one.everywhere and (self.person.is_superuser or not one.superusers)]
        return [
            Line(entry.label, entry.icon, entry.url(""), self._request.path.startswith(entry.url("")))
            for entry in entries
        ]

    def _shows(self, entry: Entry) -> bool:
        if self.access is None or (entry.superusers and not self.access.user.is_superuser):
            return False
        return self.access.allows(entry.role) or (entry.guests and self.access.guest)


def environment(workspace: Workspace) -> str | Promise:
    """Which world a workspace belongs to, in words: practice, the named environment, or the host of its address."""
    if workspace.practice:
        return _("Practice engine")
    if workspace.environment:
        return ENVIRONMENT_WORDS.get(workspace.environment, workspace.environment)
    if workspace.colour:
        return Colour(workspace.colour).label
    return workspace.address.split("://", 1)[-1].split("/", 1)[0]


ENVIRONMENT_WORDS: dict[str, str | Promise] = {
    "develop": pgettext_lazy("environment", "Development"),
    "sandbox": pgettext_lazy("environment", "Sandbox"),
    "stable": pgettext_lazy("environment", "Live"),
    "prodv2": pgettext_lazy("environment", "Live (v2)"),
}


def frame(request: HttpRequest) -> dict[str, Any]:
    """Context processor: `frame` in every template."""
    return {"frame": Frame(request)}
