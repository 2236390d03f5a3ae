"""The list of launches: filters in the address, pages by keyset, newest first."""

from datetime import datetime

from django import forms
from django.db.models import Q, QuerySet
from django.http import HttpResponse, QueryDict
from django.urls import path
from django.utils.translation import gettext as _

from workflows_ui.forms.launches import FilterForm
from workflows_ui.kit import respond
from workflows_ui.kit.access import member
from workflows_ui.kit.listing import Chip
from workflows_ui.kit.request import ConsoleRequest
from workflows_ui.models import Launch, Role, User
from workflows_ui.services import launches

ROWS = 25
#: So many of the newest launches are searched for the flows and persons that the filters offer.
OFFERED_FROM = 500


@member(Role.VIEWER, guests=True)
def listing(request: ConsoleRequest, slug: str) -> HttpResponse:
    """The launches the person may see, newest first. Filters and place in the list are in the address."""
    rows = launches.of_workspace(request.access)
    form = FilterForm(request.GET)
    everyone = request.access.allows(Role.BUILDER)
    if not everyone:
        del form.fields["person"]
    _offer(form, rows)
    valid = form.is_valid()
    asked = {name: request.GET.get(name, "") for name in form.fields}
    shown, newer, older = _window(_with_inputs(rows.filter(form.conditions())), request.GET) if valid else ([], "", "")
    context = {
        "form": form,
        "valid": valid,
        "everyone": everyone,
        "rows": shown,
        "filtered": any(asked.values()),
        "chips": _chips(request, form, asked) if valid else [],
        "newer_url": _address(request, asked, after=newer),
        "older_url": _address(request, asked, before=older),
        "first_url": _address(request, asked, first="1"),
        "bare_url": request.path,
        "can_launch": request.access.allows(Role.LAUNCHER),
        "guest": request.access.guest,
    }
    return respond.page(request, "launches/list.html", context, fragments=("results",))


def _with_inputs(rows: QuerySet[Launch]) -> QuerySet[Launch]:
    """With the searchable inputs of the rows that are shown, by one query more."""
    return rows.prefetch_related("inputs")


def _window(rows: QuerySet[Launch], asked: QueryDict) -> tuple[list[Launch], str, str]:
    """One page of rows, and the positions from which newer and older ones start (empty where there are none)."""
    before, after = _position(asked.get("before", "")), _position(asked.get("after", ""))
    if after is not None:
        moment, pk = after
        newer = rows.filter(Q(asked_at__gt=moment) | Q(asked_at=moment, pk__gt=pk), asked_at__gte=moment)
        found = list(newer.order_by("asked_at", "pk")[: ROWS + 1])
        if len(found) < ROWS:
            return _window(rows, QueryDict())  # the first page, whole
        shown, more_newer, more_older = found[:ROWS][::-1], len(found) > ROWS, True
    else:
        if before is not None:
            moment, pk = before
            rows = rows.filter(Q(asked_at__lt=moment) | Q(asked_at=moment, pk__lt=pk), asked_at__lte=moment)
        found = list(rows[: ROWS + 1])
        shown, more_newer, more_older = found[:ROWS], before is not None, len(found) > ROWS
    if not shown:
        return [], "", ""
    return shown, _mark(shown[0]) if more_newer else "", _mark(shown[-1]) if more_older else ""


def _mark(row: Launch) -> str:
    return f"{row.asked_at.isoformat()}~{row.pk}"


def _position(text: str) -> tuple[datetime, str] | None:
    """The place in the list that an address names; None for anything else."""
    moment, _sign, pk = text.partition("~")
    try:
        found = datetime.fromisoformat(moment)
    except ValueError:
        return None
    return (found, pk[:21]) if found.tzinfo is not None and pk.isalnum() and pk.isascii() else None


def _address(request: ConsoleRequest, asked: dict[str, str], **place: str) -> str:
    """The list's address with filters and a place; empty for no place."""
    if not any(place.values()):
        return ""
    query = QueryDict(mutable=True)
    query.update({name: text for name, text in {**asked, **place}.items() if text and name != "first"})
    return f"{request.path}?{query.urlencode()}" if query else request.path


def _offer(form: FilterForm, rows: QuerySet[Launch]) -> None:
    """Gives the select fields what the newest launches have, and what is asked for besides."""
    recent = list(
        rows.values_list("flow_id", "flow_name", "user_id", "user__first_name", "user__last_name", "user__username")[
            :OFFERED_FROM
        ]
    )
    flows: dict[str, str] = {}
    people: dict[str, str] = {}
    for flow_id, flow_name, user_id, first, last, username in recent:
        flows.setdefault(flow_id, (flow_name or flow_id)[:80])
        people.setdefault(str(user_id), User(first_name=first, last_name=last, username=username).label[:80])
    wanted = form.data.get("flow", "")
    if wanted and wanted not in flows:
        named = rows.filter(flow_id=wanted).values_list("flow_name", flat=True).first()
        flows[wanted] = (named or wanted)[:80]
    _choices(form, "flow", flows)
    if "person" in form.fields:
        wanted = form.data.get("person", "")
        if wanted and wanted not in people:
            found = _person(rows, wanted)
            people[wanted] = found.label[:80] if found else wanted[:20]
        _choices(form, "person", people)


def _person(rows: QuerySet[Launch], pk: str) -> User | None:
    """A person by their number, if any of these launches is theirs: nobody else is named."""
    if not pk.isdecimal() or len(pk) > 9:
        return None
    return User.objects.filter(pk__in=rows.order_by().filter(user_id=pk).values("user_id")).first()


def _choices(form: FilterForm, name: str, options: dict[str, str]) -> None:
    widget = form.fields[name].widget
    if isinstance(widget, forms.Select):
        widget.choices = [("", _("Any")), *sorted(options.items(), key=lambda option: option[1].casefold())]


def _chips(request: ConsoleRequest, form: FilterForm, asked: dict[str, str]) -> list[Chip]:
    """The filters that are on, in words, each with the address that removes it."""
    found = []
    for name, text in asked.items():
        if not text:
            continue
        widget = form.fields[name].widget
        choices = dict(widget.choices) if isinstance(widget, forms.Select) else {}
        rest = {**asked, name: ""}
        found.append(
            Chip(form.fields[name].label or name, str(choices.get(text, text)), _address(request, rest, first="1"))
        )
    return found


urlpatterns = [path("w/<slug:slug>/launches/", listing, name="launches")]
