"""The list of launches: filters in the query string, keyset pagination, newest first."""

from urllib.parse import urlencode

from django.db.models import QuerySet
from django.http import HttpResponse

from workflows_ui.core.secret_names import MASK, mask_text, names_secret
from workflows_ui.launches.forms import FilterForm
from workflows_ui.launches.models import Launch
from workflows_ui.launches.services import launches
from workflows_ui.members.models import Role
from workflows_ui.resource_admin import listing as listing_state
from workflows_ui.web import keyset, responses
from workflows_ui.web.access import member
from workflows_ui.web.requests import ConsoleRequest

ROWS = 25
#: Number of the newest launches whose flows and persons the filters offer.
OFFERED_FROM = 500


@member(Role.VIEWER, guests=True)
def listing(request: ConsoleRequest, slug: str) -> HttpResponse:
    """The launches that the person may see, newest first. Filters and position are in the query string."""
    rows = launches.visible_launches(request.access)
    form = FilterForm(request.GET)
    everyone = request.access.allows(Role.BUILDER)
    if not everyone:
        del form.fields["person"]
    _set_choices(form, rows)
    page = keyset.Window[Launch]([])
    if form.is_valid():
        matching = rows.filter(form.conditions()).prefetch_related("inputs")
        page = keyset.window(matching, request.GET, moment="asked_at", size=ROWS)
    # Values that were stored before their names or texts were recognized as secret.
    for launch_input in (launch_input for row in page.rows for launch_input in row.inputs.all()):
        known = names_secret(launch_input.label) or names_secret(launch_input.name)
        launch_input.text = MASK if known else mask_text(launch_input.text)
    context = {
        **listing_state.local_list_context(form, request.path, request.GET, page),
        "everyone": everyone,
        "filters_query": urlencode({name: request.GET[name] for name in form.fields if request.GET.get(name)}),
        "rows": page.rows,
        "can_launch": request.access.allows(Role.LAUNCHER),
        "guest": request.access.guest,
    }
    return responses.page(request, "launches/list.html", context, fragments=("results",))


def _set_choices(form: FilterForm, rows: QuerySet[Launch]) -> None:
    """Set the choices of the select fields from the newest launches and the requested values."""
    rows_with_user = rows.select_related(None).select_related("user")
    newest = list(rows_with_user.only("flow_id", "flow_name", "user")[:OFFERED_FROM])
    flows = {row.flow_id: (row.flow_name or row.flow_id)[:80] for row in reversed(newest)}
    people = {str(row.user_id): row.user.label[:80] for row in newest}
    wanted = form.data.get("flow", "")
    if wanted and wanted not in flows:
        stored_name = rows.filter(flow_id=wanted).values_list("flow_name", flat=True).first()
        flows[wanted] = (stored_name or wanted)[:80]
    form.choices("flow", flows)
    if "person" in form.fields:
        wanted = form.data.get("person", "")
        # The name of a person none of whose launches is visible is not disclosed.
        row = rows.filter(user_id=wanted).first() if wanted.isdecimal() and len(wanted) < 10 else None
        if row is not None:
            people[wanted] = row.user.label[:80]
        form.choices("person", people)
