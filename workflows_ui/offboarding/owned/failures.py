"""What people own in failures: those that are assigned to them."""

from collections.abc import Iterator

from django.utils.translation import gettext_lazy as _

from workflows_ui.accounts.models import User
from workflows_ui.audit.services.audit_log import Actor
from workflows_ui.failures import services as failures
from workflows_ui.failures.models import FailurePattern
from workflows_ui.members.models import Role
from workflows_ui.offboarding.belongings import Found, Item, Owned
from workflows_ui.run_index.services import indexes


def _assigned(found: Found[FailurePattern]) -> Iterator[Item]:
    reach, assigned = found.reach, failures.assigned(found.person, found.reach.workspaces)
    spaces = {row.index_id: reach.workspaces[row.index_id] for row, _name in assigned}
    seen = {pk for pk, space in spaces.items() if indexes.readable(space.workspace, reach.viewer.pk)}
    for row, name in assigned:
        space, shown = spaces[row.index_id], row.index_id in seen
        url = reach.page_url(space, "failure", row.fingerprint) if shown else ""
        name = name if shown else str(_("A failure that you may not see"))
        to = space.people(Role.VIEWER)
        yield Item(found.kind, str(row.pk), name, space, (row, name), to=to, ends=True, url=url)


def _hand_over(actor: Actor, row: tuple[FailurePattern, str], to: User | None = None) -> bool:
    pattern, name = row
    return failures.hand_over(actor, pattern, to, name)


FAILURE = Owned(
    name="failure",
    model=FailurePattern,
    owner="assigned_to",
    workspace="index__workspace",
    icon="repeat",
    title=_("Assigned failures"),
    otherwise=_("They stay assigned to the person."),
    end_label=_("Assign to no one"),
    items=_assigned,
    give=_hand_over,
    end=_hand_over,
)
