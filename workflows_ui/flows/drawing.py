"""The drawn diagram of a flow: its steps at their positions, with apps, and how each of them did in a run."""

from collections.abc import Iterable, Mapping
from typing import TypedDict

from django.utils.safestring import SafeString
from django.utils.translation import gettext as _, gettext_lazy

from workflows_ui.core import formats
from workflows_ui.core.states import Badge
from workflows_ui.credentials.services.engine_session import EngineSession
from workflows_ui.flows import diagram, outline, reading
from workflows_ui.pieces.apps import Mark
from workflows_ui.resource_admin.places import choose_app_url, flow_url, step_url
from workflows_ui.resource_admin.resource import Row, id_at
from workflows_ui.web import messages
from workflows_ui.web.icons import icon_url
from workflows_ui.web.markup import NOTHING, joined, markup

#: Characters of a title and of a second line that fit into a box, and of a branch's label.
_TITLE, _SECOND, _LABEL = 21, 30, 26
#: Characters of a name that a screen reader reads.
_LONG_NAME = 120
_INCOMPLETE = Badge(gettext_lazy("Not complete"), "triangle-alert", "orange")
#: How a step did: the engine's status, and milliseconds.
States = Mapping[str, tuple[str, float]]


#: A step: where it leads to, its name, where it is; its mark, its title and second line, its state.
_BOX = (
    '<a href="{}" aria-label="{}"{}><svg x="{}" y="{}" width="240" height="62"><title>{}</title>'
    '<rect class="d-box{}" x="1" y="1" width="238" height="60" rx="6"></rect>{}'
    '<text class="d-name{}" x="50" y="{}">{}</text><text class="d-second" x="50" y="{}">{}</text>{}</svg></a>'
)
_STATE = (
    '<use class="icon d-state-icon d-{}" href="{}" x="50" y="44" width="12" height="12"></use>'
    '<text class="d-state d-{}" x="66" y="54">{}{}</text>'
)
#: A place for a further step: its address, its name, where it is.
_PLACE = (
    '<a class="d-add" href="{}" data-panel aria-label="{}" transform="translate({} {})"><circle class="d-hit" r="14"></circle>'
    '<circle r="9"></circle><path d="M-4 0H4M0-4V4"></path></a>'
)


class Drawing(TypedDict):
    """Values for templates/flows/diagram.html. Numbers are texts, which no language changes."""

    width: str
    height: str
    lines: str
    heads: str
    frames: SafeString
    labels: SafeString
    steps: SafeString
    places: SafeString
    left_out: int
    folded: bool


def run_diagram(session: EngineSession, flow: Row, states: States, unfolded: str) -> Drawing:
    """The diagram as a flow's page shows it: each step leads to its page, with how it did in a run. In a long flow the step of the name
    `unfolded` is unfolded.
    """
    drawn, known = diagram.layout(reading.trigger_of(flow), unfolded), reading.known_apps(session)
    base = flow_url(session.workspace.slug, id_at(flow))
    return _drawn(drawn, (_box(box, known, _page_of(base, box), states=states) for box in drawn.boxes))


def editor_panel(session: EngineSession, flow: Row, current: str = "", *, edits: bool = True) -> Drawing | None:
    """The diagram as the page of the steps shows it: each step leads to its own page, incomplete ones are marked, and `current` is the
    name of the step that is chosen. Left out without steps.

    Args:
        edits: for who may edit, between the steps are links that add one.
    """
    drawn = diagram.layout(reading.trigger_of(flow), current, places=edits)
    if not drawn.boxes:
        return None
    base, known = flow_url(session.workspace.slug, id_at(flow)), reading.known_apps(session)

    def box_html(box: diagram.Box) -> SafeString:
        name = box.step.name
        marked = SafeString(' aria-current="true"') if name and name == current else NOTHING
        # A step with folded ones has a page of its own, on which it is unfolded.
        beside = NOTHING if box.more else SafeString(" data-panel")
        attributes = markup('{} data-step="{}"{}', beside, name, marked)
        return _box(box, known, _page_of(base, box), attributes)

    added = (_place(place, session.workspace.slug, id_at(flow)) for place in drawn.places if place.step.name)
    return _drawn(drawn, map(box_html, drawn.boxes)) | {"places": joined("", _PLACE, added)}


def _place(place: diagram.Place, slug: str, flow_id: str) -> tuple[str, str, int, int]:
    parts = (place.location, place.step.name, *(() if place.branch is None else (str(place.branch),)))
    label, title = _("Add a step after “%(step)s”"), formats.cut(outline.title_of(place.step), _LONG_NAME)
    if place.location == "INSIDE_LOOP":
        label = _("Add a step at the start of the loop “%(step)s”")
    elif place.branch is not None:
        label = _("Add a step at the start of the branch “%(branch)s” of “%(step)s”")
    branch = formats.cut(_branch_name(place.name, (place.branch or 0) + 1), _LONG_NAME)
    url = choose_app_url(slug, flow_id, place=":".join(parts))
    return url, label % {"step": title, "branch": branch}, place.x, place.y


def _page_of(base: str, box: diagram.Box) -> str:
    """The step's page below the address of its flow; without one its place in the outline."""
    return step_url(base, box.step.name) or f"{base}?tab=steps#step-at-{box.number}"


def _drawn(drawn: diagram.Layout, boxes: Iterable[SafeString]) -> Drawing:
    return {
        "width": str(drawn.width),
        "height": str(drawn.height),
        "lines": " ".join(drawn.lines),
        "heads": " ".join(drawn.heads),
        "frames": joined("", '<rect class="d-frame" x="{}" y="{}" width="{}" height="{}" rx="8"></rect>', drawn.frames),
        "labels": joined("", '<text class="d-label" x="{}" y="{}">{}{}</text>', map(_label, drawn.labels)),
        "steps": joined("", "{}", ((box,) for box in boxes)),
        "places": NOTHING,
        "left_out": drawn.left_out,
        "folded": drawn.folded,
    }


def _label(label: diagram.Label) -> tuple[int, int, str, SafeString]:
    whole = _branch_name(label.name, label.number)
    text = formats.cut(whole, _LABEL)
    return label.x, label.y + 15, text, NOTHING if text == whole else markup("<title>{}</title>", whole)


def _branch_name(name: str | None, number: int) -> str:
    return name or _("Branch %(number)d") % {"number": number}


def _box(
    box: diagram.Box,
    known: Mapping[str, Row],
    url: str,
    attributes: SafeString = NOTHING,
    states: States | None = None,
) -> SafeString:
    """The HTML of a step; without `states` of a run, incomplete steps are marked."""
    step = box.step
    piece, (icon, kind) = step.settings.piece_name, outline.kind_of(step)
    [mark] = reading.app_marks(known, [piece]) if piece else [None]
    title, second = outline.title_of(step), mark.text if mark else str(kind)
    status, took = (states or {}).get(step.name, ("", 0.0))
    state = messages.run_state(status) if status else None
    if states is None and step.is_incomplete:
        state = _INCOMPLETE
    words = [title, second, str(state.word) if state else "", _("Skipped") if step.skipped else ""]
    words = [formats.cut(word, _LONG_NAME) for word in words]
    whole = ", ".join(filter(None, [*words, _("Folded") if box.more else ""]))
    return markup(
        _BOX,
        url,
        whole,
        SafeString(' class="d-faded"') if states and state is None else attributes,
        box.x,
        box.y,
        whole,
        f" d-{state.colour}" if state else "",
        _mark(mark, icon),
        " d-skipped" if step.skipped else "",
        22 if state else 27,
        formats.cut(title, _TITLE),
        38 if state else 44,
        formats.cut(f"{second} …" if box.more else second, _SECOND),
        _state(state, took) if state else NOTHING,
    )


def _state(state: Badge, took: float) -> SafeString:
    time = f" · {formats.duration(took)}" if took >= 1 else ""
    return markup(_STATE, state.colour, icon_url(state.icon), state.colour, state.word, time)


def _mark(mark: Mark | None, icon: str) -> SafeString:
    """A circle with an app's logo or initials, or with the icon of the step's type."""
    if mark is None:
        sign = markup('<use class="icon" href="{}" x="18" y="23" width="16" height="16"></use>', icon_url(icon))
    elif mark.logo:
        sign = markup('<image href="{}" x="16" y="21" width="20" height="20"/>', mark.logo)
    else:
        sign = markup('<text class="d-sign" x="26" y="35">{}</text>', mark.initials)
    colour = mark.colour if mark else "secondary"
    return markup('<circle class="d-mark d-{}" cx="26" cy="31" r="15"></circle>{}', colour, sign)
