"""Links that fill a launch form: `?field=value` as if it had been typed, and the address that fills a form so."""

from dataclasses import dataclass, field
from urllib.parse import urlencode

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from workflows_ui.forming import checking
from workflows_ui.forming.cells import Data
from workflows_ui.forming.checking import Shown
from workflows_ui.forming.document import Form, Kind
from workflows_ui.forms import launch_fields
from workflows_ui.kit import launch_choices
from workflows_ui.kit.request import ConsoleRequest

#: Letters of an address that fills the form; more is no link any more.
LONGEST = 8_000
#: Names in an address that are the console's own.
_RESERVED = frozenset({"from", "saved", "_as"})


@dataclass
class Link:
    """What an address fills in, by field; what of it does not fit, by control; and what else there is to say about it."""

    shown: dict[str, Shown] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)
    told: list[str] = field(default_factory=list)


def read(request: ConsoleRequest, form: Form, options: launch_choices.Choices) -> Link:
    """What the address fills in: fields of this form that people see, as if it had been typed."""
    if len(request.META.get("QUERY_STRING", "")) > LONGEST:
        return Link(told=[_("The link was too long, so nothing of it was filled in.")])
    given = launch_fields.tidied(form, dict(request.GET.lists()), options)
    names = {one.name: f"{one.name}[" for one in form.fields if not one.hidden and one.kind is not Kind.FILE}
    named = {name for name, row in names.items() if name in given or any(control.startswith(row) for control in given)}
    found = Link({name: text for name, text in checking.typed(form, given).items() if name in named})
    checked = checking.check(checking.optional(form), given, options=options, zone=timezone.get_current_timezone())
    found.errors = {
        control: text for control, text in checked.errors.items() if control.partition("[")[0] in named and control
    }
    strange = [
        control
        for control in given
        if control not in _RESERVED and control not in named and control.partition("[")[0] not in named
    ]
    if strange:
        listed = ", ".join(control[:40] for control in strange[:10])
        found.told.append(
            _("This form does not ask for some of what the link names, so it is left out: %(names)s.")
            % {"names": listed}
        )
    return found


def made(request: ConsoleRequest, id: str, form: Form, data: Data) -> str:
    """The address that fills the form with what is typed; empty where it would be too long."""
    pairs: list[tuple[str, str]] = []
    for one in form.fields:
        if one.hidden or one.kind is Kind.FILE:
            continue
        names = [one.name] if one.kind is not Kind.TABLE else [name for name in data if name.startswith(f"{one.name}[")]
        pairs += [(name, text) for name in names for text in data.get(name, ()) if text]
    path = reverse("flow_launch", args=[request.access.workspace.slug, id])
    address = request.build_absolute_uri(f"{path}?{urlencode(pairs)}" if pairs else path)
    return address if len(address) <= LONGEST else ""
