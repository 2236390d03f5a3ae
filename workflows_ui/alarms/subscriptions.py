"""Who is notified of alarms: managers and owners of flows from the start, and everyone who subscribes, as long as they may see the index.

A subscription is a Watch. Managers are given one to every alarm, owners of flows one to the alarms of their flows, each once
(DefaultWatch): whoever leaves it, on whatever page, does not get it again.
"""

from collections.abc import Iterator, Mapping

from django.db import transaction
from django.db.models import Q, QuerySet

from workflows_ui.accounts.models import User
from workflows_ui.alarms.models import AlarmWatch, DefaultWatch, FlowRhythm
from workflows_ui.core import clock
from workflows_ui.credentials.models import CredentialShare
from workflows_ui.launches.services import watching
from workflows_ui.members.models import Workspace
from workflows_ui.members.services import access as member_access, members
from workflows_ui.notifications.models import Watch, WatchKind
from workflows_ui.run_index.models import RunIndex
from workflows_ui.run_index.services import indexes

#: The most people who are notified of an alarm.
PEOPLE = 500


def give_defaults(index: RunIndex, owners: Mapping[str, int | None]) -> None:
    """Subscribe the managers, and the members who own flows (`owners`: AlarmWatch.owners), unless they were subscribed before."""
    readers = _readers(index)
    for kind, people in (
        (WatchKind.ALARMS, members.managers(index.workspace)),
        (WatchKind.OWN_ALARMS, User.objects.filter(pk__in=[pk for pk in owners.values() if pk], is_active=True)),
    ):
        given = DefaultWatch.objects.filter(workspace=index.workspace, kind=kind).values("user")
        for person in people.filter(pk__in=readers.values("pk")).exclude(pk__in=given):
            if may_see(person, index.workspace):
                with transaction.atomic():
                    watching.start_watching(person, index.workspace, kind, "", index.workspace.name)
                    _note(person, index.workspace, kind)


def _readers(index: RunIndex) -> QuerySet[User]:
    """The people who may use the credential that reads the index; whether they are members as well, `may_see` tells."""
    teams = CredentialShare.objects.filter(credential=index.credential_id).values("team")
    owner = index.credential.owner_id if index.credential else None
    return User.objects.filter(Q(pk=owner) | Q(groups__in=teams))


def _note(person: User, workspace: Workspace, kind: WatchKind) -> None:
    DefaultWatch.objects.get_or_create(user=person, workspace=workspace, kind=kind, defaults={"given_at": clock.now()})


def leave(person: User, workspace: Workspace) -> None:
    """End the person's subscriptions to every alarm of the workspace and to those of their own flows, for good."""
    with transaction.atomic():
        for kind in (WatchKind.ALARMS, WatchKind.OWN_ALARMS):
            watching.stop_watching(person, workspace, kind, "")
            _note(person, workspace, kind)


def subscribe(person: User, workspace: Workspace) -> None:
    """Notify the person of every alarm of the workspace."""
    watching.start_watching(person, workspace, WatchKind.ALARMS, "", workspace.name)


def recipients(index: RunIndex, flow_id: str) -> Iterator[User]:
    """The people who watch all alarms, this flow or their own ones, if it is one of these (any flow, for an alarm about many), and may
    see the index.
    """
    own = Q(kind=WatchKind.OWN_ALARMS)
    if flow_id:
        own &= Q(user=_owner(index, flow_id))
    flow = Q(kind=WatchKind.FLOW, **({"object_id": flow_id} if flow_id else {}))
    watches = Watch.objects.filter(Q(kind=WatchKind.ALARMS) | flow | own, workspace=index.workspace)
    # A subquery, since a person may watch very many flows.
    for person in User.objects.filter(pk__in=watches.values("user")).order_by("pk")[:PEOPLE]:
        if may_see(person, index.workspace):
            yield person


def _owner(index: RunIndex, flow_id: str) -> int:
    """The primary key of the member who owns a flow; 0 without one."""
    row = FlowRhythm.objects.filter(index=index, flow_id=flow_id).exclude(owner_id="").only("owner_id").first()
    if row is None:
        return 0
    owners = AlarmWatch.objects.filter(index=index).values_list("owners", flat=True).first() or {}
    pk = owners.get(row.owner_id)
    return pk if isinstance(pk, int) else 0


def may_see(person: User, workspace: Workspace) -> bool:
    """Whether a person may see the run index of a workspace, and so its alarms."""
    try:
        return indexes.for_access(member_access.access_for(person, workspace.slug)) is not None
    except member_access.NoAccess:
        return False
