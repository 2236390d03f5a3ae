"""The tabs of an object's page: those that a person may see, and their links, which further pages about the object have, too."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _

from workflows_ui.core.text import Text
from workflows_ui.resource_admin import index_fallback
from workflows_ui.resource_admin.index_fallback import StandIn
from workflows_ui.resource_admin.resource import RAW, Panel, Resource, Subject, Tab

#: The parameter of the tab's name; the overview has none.
TAB = "tab"
OVERVIEW, HISTORY, DATA = "", "history", "data"


@dataclass(frozen=True)
class TabLink:
    """A tab as a link; `id` is unique in the page."""

    id: str
    label: Text
    url: str
    current: bool


def tabs_of(kind: Resource, subject: Subject, stand_in: StandIn | None = None) -> list[Tab]:
    """The tabs that the person may see, the overview first; of an object from the index those that need no call of the engine."""
    declared = [tab for tab in kind.tabs if subject.access.allows(tab.role) and tab.visible(subject.object)]
    if stand_in:
        overview = Tab(OVERVIEW, _("Overview"), index_fallback.panels(kind.panels))
        return [overview, *index_fallback.tabs(declared), Tab(HISTORY, _("History"), ())]
    return [
        Tab(OVERVIEW, _("Overview"), kind.panels),
        *declared,
        Tab(HISTORY, _("History"), ()),
        Tab(DATA, _("JSON"), (Panel("", RAW, kind.raw),)),
    ]


def tab_links(path: str, tabs: Sequence[Tab], current: str) -> list[TabLink]:
    """The links of these tabs below the object's `path`; `current` is the name of the one that is shown."""
    return [
        TabLink(
            f"tab-{tab.name or 'overview'}",
            tab.label,
            f"{path}?{TAB}={tab.name}" if tab.name else path,
            tab.name == current,
        )
        for tab in tabs
    ]
