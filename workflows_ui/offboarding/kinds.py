"""The kinds of things that a leaving person has: how each is found, shown, handed over and ended.

Handing over and ending happen in the transaction of handover.py; each change gets its own audit row.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import groupby
from operator import attrgetter
from typing import Any

from django.db.models import Count, F, Max
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _, ngettext, pgettext_lazy

from workflows_ui.accounts.models import User
from workflows_ui.accounts.services import sessions
from workflows_ui.audit import messages as audit_messages
from workflows_ui.audit.services.audit_log import Actor
from workflows_ui.core import clock
from workflows_ui.core.text import Text
from workflows_ui.credentials.models import Credential
from workflows_ui.credentials.services import credentials, sharing
from workflows_ui.failures import services as failures
from workflows_ui.jobs import messages as job_messages
from workflows_ui.jobs.models import JOB_OVER, Job
from workflows_ui.jobs.page import job_url
from workflows_ui.jobs.services import jobs
from workflows_ui.launch_forms.models import LaunchForm, SavedInputs
from workflows_ui.launch_forms.services import saved_inputs
from workflows_ui.launches.models import OPEN, UNSENT, Launch
from workflows_ui.launches.services import launches, watching
from workflows_ui.members import messages as launch_right_messages
from workflows_ui.members.models import ColleagueInvitation, LaunchRight, Member, Role, TeamOwner
from workflows_ui.members.services import access, invitations, launch_rights, members, teams
from workflows_ui.notifications.models import Notice, Watch, WatchKind
from workflows_ui.offboarding import services as deactivation
from workflows_ui.offboarding.belongings import BelongingKind, Holder, Item, Reach, Scope
from workflows_ui.run_index.services import indexes


class RoleKind(BelongingKind):
    name, icon, title = "role", "shield-user", _("Role in the workspace")
    otherwise = _("It stays until the membership is ended or the account is deactivated.")
    more = _("The colleague becomes a manager as well.")
    by_managers = True

    def find_items(self, reach: Reach) -> Iterator[Item]:
        rows = reach.rows(Member).filter(access.held_by(reach.person)).select_related("team")
        for pk, memberships in groupby(rows.order_by("workspace", "pk"), key=attrgetter("workspace_id")):
            space = reach.workspaces[pk]
            row = max(memberships, key=lambda member: (Role(member.role).rank, member.user_id is not None))
            manages = row.role == Role.MANAGER
            others = members.managers(space.workspace).exclude(pk=reach.person.pk)
            sole_manager = manages and not others.exists()
            candidates = [member for member, role in space.colleagues if not role.includes(Role.MANAGER)]
            team = _("through the team %(team)s") % {"team": row.team.name} if row.team else ""
            yield Item(
                self,
                str(pk),
                str(row.get_role_display()),
                space,
                row,
                to=candidates if manages and space.manages else (),
                facts=(team, _("Nobody else manages this workspace.") if sole_manager else ""),
                sole_manager=sole_manager,
                already=space.people(Role.MANAGER),
            )

    def gives(self, item: Item) -> bool:
        return bool(item.row.role == Role.MANAGER)

    def give(self, actor: Actor, item: Item, to: User) -> bool:
        """Make the colleague a manager; the person remains one until they are removed."""
        members.hand_over(actor, item.row.workspace, to)
        return True


class OwnCredentialKind(BelongingKind):
    name, icon, title = "credential", "key-round", _("Credentials")
    otherwise = _(
        "A credential that no team uses is deleted when the account is deactivated or the person leaves the workspace; "
        "launches waiting to be sent with it are not sent."
    )
    end_label, moment = _("Delete it"), _("Last used")
    more = _(
        "The teams that use it now keep it. It never acts for its new owner, and no one sees the secret. Only its owner can give it to "
        "another team; a manager then becomes the owner."
    )
    warning = _("The person may still know the secret: replace it, or revoke it at the engine.")
    view = "credential"
    to_managers = True
    end_row = staticmethod(credentials.remove)

    def find_items(self, reach: Reach) -> Iterator[Item]:
        rows = list(reach.rows(Credential, owner=reach.person).select_related("owner").order_by("name", "pk"))
        waiting = Launch.objects.filter(credential__in=rows, state__in=UNSENT).order_by("asked_at")
        flows: dict[Any, list[str]] = {}
        for key, name, flow_id in waiting.values_list("credential", "flow_name", "flow_id"):
            flows.setdefault(key, []).append(name or flow_id)
        shared = sharing.teams_of(rows)
        for row in rows:
            users = shared.get(row.pk, [])
            holders = reach.workspaces[row.workspace_id].credential_holders
            # For a team that does not use it yet, the consent of its owner is needed.
            consents = reach.viewer == reach.person and not row.taken_over
            to = [holder for holder in holders if holder not in users and (consents or isinstance(holder, User))]
            unused, waits = "" if row.last_used_at else _("never used"), _waiting(flows.get(row.pk, []))
            facts = (row.get_kind_display(), *_used_by(team.name for team in users), unused, waits)
            yield self.item(reach, row, row.name, to=to, ends=True, at=row.last_used_at, facts=facts)

    def give(self, actor: Actor, item: Item, to: Holder) -> bool:
        """Give it to a person or a team; with a team, a manager of the workspace becomes its owner, the actor if possible.

        It is re-sealed for its new owner (sharing.pass_on); the secret is shown to nobody. Raises CannotBeOpened.
        """
        rows = Credential.objects.select_for_update(of=("self",)).select_related("workspace", "owner")
        row = rows.filter(pk=item.pk, owner=item.row.owner_id).first()
        if row is None:
            return False
        owner = to if isinstance(to, User) else members.possible_owners(row.workspace, row.owner, actor.user)[0]
        if not sharing.pass_on(actor, row, owner):
            raise CannotBeOpened
        if not isinstance(to, User):
            sharing.share(actor, row, [*sharing.teams(row), to], consents=True)
        return True


class CannotBeOpened(Exception):
    """The secret of a credential cannot be decrypted, so it cannot be sealed for another owner."""


class TeamCredentialKind(BelongingKind):
    """Other people's credentials that are shared with the person's teams."""

    name, icon, title = "team_credential", "users-round", _("Credentials of others that teams use")
    otherwise = _("They stay with their owners and keep working.")
    moment = _("Last used")
    view = "credential"

    def find_items(self, reach: Reach) -> Iterator[Item]:
        conditions = {"credential__workspace__in": reach.workspaces, "team__in": reach.person.groups.all()}
        teams_of: dict[Any, list[str]] = {}
        for share in sharing.genuine(**conditions):
            teams_of.setdefault(share.credential_id, []).append(share.team.name)
        for row in reach.rows(Credential, pk__in=teams_of).exclude(owner=reach.person).order_by("name", "pk"):
            yield self.item(reach, row, row.name, at=row.last_used_at, facts=_used_by(teams_of[row.pk]))


class FormKind(BelongingKind):
    name, icon, title = "form", "file-pen", _("Launch forms last saved")
    otherwise = _(
        "It stays as it is and still names who saved it. A draft waits until a builder publishes or discards it."
    )
    end_label, moment = _("Discard the draft"), _("Saved")

    def find_items(self, reach: Reach) -> Iterator[Item]:
        for row in reach.rows(LaunchForm, updated_by=reach.person).order_by("flow_name", "pk"):
            space, published = reach.workspaces[row.workspace_id], pgettext_lazy("launch form", "published")
            state = published if row.published_id else pgettext_lazy("launch form", "not published")
            facts = (state, _("has a draft") if row.draft else "")
            item = self.item(reach, row, row.flow_name or row.flow_id, at=row.updated_at, facts=facts)
            if space.access.allows(Role.BUILDER):
                url = reach.page_url(space, "form_builder", row.flow_id)
                item = replace(item, to=space.people(Role.BUILDER), ends=bool(row.draft), url=url)
            yield item

    def give(self, actor: Actor, item: Item, to: User) -> bool:
        return _change_form(item.row, updated_by=to) and self.record(
            actor, "form.hand_over", item, to, flow=item.row.flow_id
        )

    def end(self, actor: Actor, item: Item) -> bool:
        """Delete the draft; the published form stays."""
        changed = _change_form(item.row, draft="", before="", updated_by=actor.user)
        return changed and self.record(actor, "form.drop_draft", item, flow=item.row.flow_id)


class RightKind(BelongingKind):
    name, icon, title = "right", "calendar-clock", _("Launch rights held")
    otherwise = _("It ends when the account is deactivated or the person leaves the workspace.")
    end_label = _("Withdraw it")
    more = _("The colleague gets the launches that are left. Only people who cannot launch by their role need one.")
    by_managers = True
    end_row = staticmethod(launch_rights.revoke)

    def find_items(self, reach: Reach) -> Iterator[Item]:
        for row in _usable_rights(reach).filter(user=reach.person):
            space = reach.workspaces[row.workspace_id]
            to = space.launched_by_right if space.manages else ()
            facts = (launch_right_messages.limits(row),)
            yield self.item(reach, row, row.flow_name or row.flow_id, to=to, ends=True, facts=facts)

    def give(self, actor: Actor, item: Item, to: Holder) -> bool:
        """Give the rest of the right: the same end, and the unused launches."""
        row: LaunchRight = item.row
        if not launch_rights.revoke(actor, row):
            return False
        launch_rights.give(
            actor,
            row.workspace,
            flow_id=row.flow_id,
            flow_name=row.flow_name,
            holder=to,
            until=row.until,
            most_launches=None if row.most_launches is None else row.most_launches - row.used,
        )
        return True


class GivenKind(BelongingKind):
    name, icon, title = "given", "user-check", _("Launch rights given to others")
    otherwise = _("It stays valid and still names who gave it.")
    end_label, moment = _("Withdraw it"), _("Given")
    to_managers = by_managers = True
    end_row = staticmethod(launch_rights.revoke)

    def find_items(self, reach: Reach) -> Iterator[Item]:
        for row in _usable_rights(reach).filter(created_by=reach.person).exclude(user=reach.person):
            space = reach.workspaces[row.workspace_id]
            to, ends = space.successors, space.manages
            facts = (_("for %(person)s") % {"person": row.holder}, launch_right_messages.limits(row))
            yield self.item(reach, row, row.flow_name or row.flow_id, to=to, ends=ends, at=row.created_at, facts=facts)

    def give(self, actor: Actor, item: Item, to: User) -> bool:
        row: LaunchRight = item.row
        rows = LaunchRight.objects.filter(pk=row.pk, created_by=row.created_by_id, revoked_at=None)
        done = rows.update(created_by=to)
        return bool(done) and self.record(actor, "launch_right.hand_over", item, to, holder=row.holder)


class InvitationKind(BelongingKind):
    name, icon, title = "invitation", "mail-open", _("Open invitations")
    otherwise = _("Its link stops working as soon as its sender no longer manages the workspace.")
    end_label, moment = _("Revoke"), _("Works until")
    to_managers = by_managers = True
    end_row = staticmethod(invitations.revoke)

    def find_items(self, reach: Reach) -> Iterator[Item]:
        rows = reach.rows(ColleagueInvitation, invited_by=reach.person, accepted_at=None, revoked_at=None)
        for row in rows.filter(expires_at__gt=timezone.now()).order_by("email", "pk"):
            space, facts = reach.workspaces[row.workspace_id], (row.get_role_display(),)
            to, ends, at = space.successors, space.manages, row.expires_at
            url = reach.page_url(space, "invitation", row.pk) if ends else ""
            yield self.item(reach, row, row.email, to=to, ends=ends, at=at, facts=facts, url=url)

    def give(self, actor: Actor, item: Item, to: User) -> bool:
        return invitations.pass_on(actor, item.row, to)


class InputsKind(BelongingKind):
    name, icon, title = "inputs", "bookmark", _("Saved inputs")
    otherwise = _("Private ones can no longer be used by anyone. Shared ones still can.")
    end_label, moment = _("Delete them"), _("Saved")
    end_row = staticmethod(saved_inputs.delete)

    def find_items(self, reach: Reach) -> Iterator[Item]:
        rows = list(reach.rows(SavedInputs, owner=reach.person).order_by("name", "pk"))
        names = _flow_names(rows)
        for row in rows:
            to = reach.workspaces[row.workspace_id].people(Role.LAUNCHER)
            flow = names.get((row.workspace_id, row.flow_id), row.flow_id)
            facts = (flow, _("shared with colleagues") if row.shared else _("private"))
            yield self.item(reach, row, row.name, to=to, ends=True, at=row.updated_at, facts=facts)

    def give(self, actor: Actor, item: Item, to: User) -> bool:
        done = deactivation.give_inputs(item.row, to)
        return done and self.record(actor, "inputs.hand_over", item, to, flow=item.row.flow_id)


class WatchItemKind(BelongingKind):
    name, icon, title = "watch", "bell", _("Notification subscriptions")
    otherwise = _("They stop when the account is deactivated.")
    end_label, moment = _("End them"), _("Since")

    def find_items(self, reach: Reach) -> Iterator[Item]:
        for row in reach.rows(Watch, user=reach.person).order_by("kind", "name", "pk"):
            # Only builders may see other people's launches.
            least = Role.VIEWER if row.kind in {WatchKind.FLOW, WatchKind.ALARMS} else Role.BUILDER
            to, facts = reach.workspaces[row.workspace_id].people(least), (row.get_kind_display(),)
            yield self.item(reach, row, row.name or row.object_id, to=to, ends=True, at=row.created_at, facts=facts)

    def give(self, actor: Actor, item: Item, to: User) -> bool:
        row: Watch = item.row
        watching.start_watching(to, row.workspace, WatchKind(row.kind), row.object_id, row.name)
        gone, _rows = Watch.objects.filter(pk=row.pk).delete()
        return bool(gone) and self.record(actor, "watch.hand_over", item, to, watched=row.kind)

    def end(self, actor: Actor, item: Item) -> bool:
        gone, _rows = Watch.objects.filter(pk=item.row.pk).delete()
        return bool(gone) and self.record(actor, "watch.end", item, watched=item.row.kind)


class FailureKind(BelongingKind):
    name, icon, title = "failure", "repeat", _("Assigned failures")
    otherwise = _("They stay assigned to the person.")
    end_label = _("Assign to nobody")

    def find_items(self, reach: Reach) -> Iterator[Item]:
        found = failures.assigned(reach.person, reach.workspaces)
        spaces = {row.index_id: reach.workspaces[row.index_id] for row, _name in found}
        seen = {pk for pk, space in spaces.items() if indexes.readable(space.workspace, reach.viewer.pk)}
        for row, name in found:
            space, shown = spaces[row.index_id], row.index_id in seen
            url = reach.page_url(space, "failure", row.fingerprint) if shown else ""
            name = name if shown else str(_("A failure that you may not see"))
            yield Item(self, str(row.pk), name, space, row, to=space.people(Role.VIEWER), ends=True, url=url)

    def give(self, actor: Actor, item: Item, to: User) -> bool:
        return failures.hand_over(actor, item.row, to, item.name)

    def end(self, actor: Actor, item: Item) -> bool:
        return failures.hand_over(actor, item.row, None, item.name)


class NoticeItemKind(BelongingKind):
    name, icon, title = "notice", "mail", _("Unread notifications")
    otherwise = _("They stay with the account and are deleted after 90 days.")

    def find_items(self, reach: Reach) -> Iterator[Item]:
        unread = Notice.objects.filter(workspace__in=reach.workspaces, user=reach.person, read_at=None)
        for pk, number in unread.order_by().values_list("workspace").annotate(n=Count("pk")):
            text = ngettext("%(n)s unread notification", "%(n)s unread notifications", number) % {"n": number}
            yield Item(self, str(pk), text, reach.workspaces[pk])


class LaunchKind(BelongingKind):
    name, icon, title = "launch", "hourglass", _("Launches waiting to be sent")
    otherwise = _("It is sent as usual, but not after the account is deactivated.")
    end_label, moment = _("Withdraw it"), _("Launched")
    view, guests = "launch", True
    end_row = staticmethod(launches.withdraw)

    def find_items(self, reach: Reach) -> Iterator[Item]:
        rows = reach.rows(Launch, user=reach.person, state__in=UNSENT).select_related("user", "credential")
        for row in rows.order_by("asked_at", "pk"):
            waits = _("waits with %(credential)s") % {"credential": row.credential.name} if row.credential else ""
            yield self.item(reach, row, row.flow_name or row.flow_id, ends=True, at=row.asked_at, facts=(waits,))


class RunKind(BelongingKind):
    name, icon, title = "run", "rocket", _("Launches under way")
    otherwise = _("It continues and is followed to its end, with another credential of the workspace if necessary.")
    moment = _("Launched")
    view, guests = "launch", True

    def find_items(self, reach: Reach) -> Iterator[Item]:
        rows = reach.rows(Launch, user=reach.person).filter(OPEN).exclude(state__in=UNSENT)
        for row in rows.order_by("asked_at", "pk"):
            yield self.item(reach, row, row.flow_name or row.flow_id, at=row.asked_at)


class UnfinishedJobKind(BelongingKind):
    name, icon, title = "job", "list-checks", _("Jobs that are not finished")
    otherwise = _("It continues. If the account is deactivated, it ends early.")
    end_label, moment = _("Stop it"), _("Started")
    end_row = staticmethod(jobs.stop)

    def find_items(self, reach: Reach) -> Iterator[Item]:
        rows = reach.rows(Job, user=reach.person).exclude(state__in=JOB_OVER).select_related("user")
        for row in rows.order_by("asked_at", "pk"):
            name = str(audit_messages.action(f"{row.resource}.{row.action or 'export'}"))
            url = "" if reach.scope is Scope.CONSOLE else job_url(row.workspace.slug, row)
            facts = (job_messages.badge(row).word,)
            yield self.item(reach, row, name, ends=True, at=row.asked_at, facts=facts, url=url)


class OwnerKind(BelongingKind):
    name, icon, title = "owner", "user-star", _("Teams owned")
    otherwise = _(
        "The team then has an owner who cannot sign in. If it has no other owner, only an administrator can add people."
    )
    end_label = _("End it")
    more = _("People of the team can take over.")

    def find_items(self, reach: Reach) -> Iterator[Item]:
        owned = TeamOwner.objects.filter(user=reach.person, team__in=reach.visible_teams).select_related("team")
        for row in owned.order_by("team__name"):
            owners = set(TeamOwner.objects.filter(team=row.team, user__is_active=True).values_list("user", flat=True))
            people = User.objects.filter(groups=row.team, is_active=True).exclude(pk__in=owners | {reach.person.pk})
            facts = () if owners - {reach.person.pk} else (_("no other owner"),)
            item = Item(self, str(row.team_id), row.team.name, row=row, facts=facts)
            if reach.unrestricted:
                to = tuple(people.order_by("first_name", "last_name", "username"))
                item = replace(item, to=to, ends=True, url=reverse("team", args=[row.team_id]))
            yield item

    def give(self, actor: Actor, item: Item, to: User) -> bool:
        row: TeamOwner = item.row
        if not teams.end_owner(actor, row.team, row.user):
            return False
        if not TeamOwner.objects.filter(team=row.team, user=to).exists():
            teams.make_owner(actor, row.team, to)
        return True

    def end(self, actor: Actor, item: Item) -> bool:
        return teams.end_owner(actor, item.row.team, item.row.user)


class TeamKind(BelongingKind):
    name, icon, title = "team", "users", _("Memberships in teams")
    otherwise = _("The membership stays, and applies again if the account is reactivated.")
    end_label = _("Remove from team")

    def find_items(self, reach: Reach) -> Iterator[Item]:
        for team in reach.visible_teams.filter(user=reach.person):
            ends = teams.may_edit(reach.viewer, team)
            url = reverse("team", args=[team.pk]) if reach.unrestricted or ends else ""
            yield Item(self, str(team.pk), team.name, row=(team, reach.person), ends=ends, url=url)

    def end(self, actor: Actor, item: Item) -> bool:
        return teams.take_out(actor, *item.row)


class SessionKind(BelongingKind):
    name, icon, title = "session", "monitor", _("Sessions")
    otherwise = _("All of them end when the account is deactivated.")
    end_label, moment = _("Sign out everywhere"), _("Last sign-in")
    end_row = staticmethod(deactivation.end_sessions)

    def find_items(self, reach: Reach) -> Iterator[Item]:
        rows = sessions.user_sessions(reach.person) if reach.unrestricted else []
        if rows:
            count = len(rows)
            name = ngettext("Signed in with %(n)s browser", "Signed in with %(n)s browsers", count) % {"n": count}
            url = reverse("sessions") if reach.scope is Scope.OWN else ""
            yield Item(self, "all", name, row=reach.person, ends=reach.administers, at=rows[0].created_at, url=url)


#: By name, in the order of the page.
KINDS: Mapping[str, BelongingKind] = {kind.name: kind() for kind in BelongingKind.__subclasses__()}


def find_belongings(reach: Reach) -> list[Item]:
    """The person's belongings within the reach, by workspace and kind."""
    order = {pk: number for number, pk in enumerate(reach.workspaces)}
    items = [item for kind in KINDS.values() for item in kind.find_items(reach)]
    return sorted(items, key=lambda item: order[item.workspace.pk] if item.workspace else len(order))


def _used_by(names: Iterable[str]) -> list[Text]:
    return [_("used by the team %(team)s") % {"team": name} for name in names]


def _waiting(flows: list[str]) -> str:
    if not flows:
        return ""
    names = ", ".join(dict.fromkeys(flow[:60] for flow in flows[:5]))
    text = ngettext("%(n)s launch waits with it: %(flows)s", "%(n)s launches wait with it: %(flows)s", len(flows))
    return text % {"n": len(flows), "flows": names + (", …" if len(flows) > 5 else "")}


def _usable_rights(reach: Reach) -> Any:
    usable = LaunchRight.objects.usable(timezone.now()).filter(workspace__in=reach.workspaces)
    return usable.select_related("workspace", "user", "team").order_by("flow_name", "pk")


def _change_form(row: LaunchForm, **values: Any) -> bool:
    """Change the form, unless somebody saved it meanwhile."""
    unchanged = LaunchForm.objects.filter(pk=row.pk, lock=row.lock)
    return bool(unchanged.update(updated_at=clock.now(), lock=F("lock") + 1, **values))


def _flow_names(rows: Iterable[SavedInputs]) -> dict[tuple[int, str], str]:
    """The names of the flows of saved inputs that local rows contain."""
    names: dict[tuple[int, str], str] = {}
    keys = {(row.workspace_id, row.flow_id) for row in rows}
    spaces, flows = {space for space, _flow in keys}, {flow for _space, flow in keys}
    launched = Launch.objects.filter(workspace__in=spaces, flow_id__in=flows).order_by()
    for space, flow, name in launched.values_list("workspace", "flow_id").annotate(name=Max("flow_name")):
        names[space, flow] = name
    forms = LaunchForm.objects.filter(workspace__in=spaces, flow_id__in=flows)
    names |= {(space, flow): name for space, flow, name in forms.values_list("workspace", "flow_id", "flow_name")}
    return {key: name for key, name in names.items() if name and key in keys}
