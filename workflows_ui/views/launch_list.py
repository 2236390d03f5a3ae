"""The list of launches: filters in the address, pages by keyset, newest first."""

from django.db.models import QuerySet
from django.http import HttpResponse
from django.urls import path

from workflows_ui.forms.launches import FilterForm
from workflows_ui.kit import keyset, respond
from workflows_ui.kit import listing as listing_state
from workflows_ui.kit.access import member
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
    found = keyset.Window[Launch]([])
    if form.is_valid():
        matching = _with_inputs(rows.filter(form.conditions()))
        found = keyset.window(matching, request.GET, moment="asked_at", size=ROWS)
    context = {
        **listing_state.of_ours(form, request.path, request.GET, found),
        "everyone": everyone,
        "rows": found.rows,
        "can_launch": request.access.allows(Role.LAUNCHER),
        "guest": request.access.guest,
    }
    return respond.page(request, "launches/list.html", context, fragments=("results",))


def _with_inputs(rows: QuerySet[Launch]) -> QuerySet[Launch]:
    """With the searchable inputs of the rows that are shown, by one query more."""
    return rows.prefetch_related("inputs")


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
    form.choices("flow", flows)
    if "person" in form.fields:
        wanted = form.data.get("person", "")
        if wanted and wanted not in people:
            found = _person(rows, wanted)
            people[wanted] = found.label[:80] if found else wanted[:20]
        form.choices("person", people)


def _person(rows: QuerySet[Launch], pk: str) -> User | None:
    """A person by their number, if any of these launches is theirs: nobody else is named."""
    if not pk.isdecimal() or len(pk) > 9:
        return None
    return User.objects.filter(pk__in=rows.order_by().filter(user_id=pk).values("user_id")).first()


urlpatterns = [path("w/<slug:slug>/launches/", listing, name="launches")]
