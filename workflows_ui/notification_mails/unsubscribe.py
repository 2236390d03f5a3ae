"""Links that end mails without a sign-in: signed, for one person and what one mail is about. RFC 2369 and RFC 8058 name their headers.

Whoever has a mail can use its link, so a link only turns mails off and on again, and what it names is what its mail named.
"""

from dataclasses import dataclass

from django.conf import settings
from django.core import signing
from django.urls import reverse
from django.utils.translation import gettext as _

from workflows_ui.accounts.models import MailDelivery, User
from workflows_ui.audit.services.audit_log import Actor
from workflows_ui.core import formats
from workflows_ui.members.models import Workspace
from workflows_ui.members.services import access as member_access
from workflows_ui.notifications import mutes, services as notifications
from workflows_ui.notifications.models import OF_WORKSPACES, Mute, Notice, Topic, Watch, WatchKind
from workflows_ui.notifications.mutes import Scope

_SALT = "notification_mails.unsubscribe"
#: In the place of a topic: the daily digest, which has all topics.
_DIGEST = "digest"
_NAME = 120


@dataclass(frozen=True)
class Unsubscription:
    """What a link turns off for a person; without a scope the daily digest, and with it all mails of notifications."""

    person: User
    scope: Scope | None = None
    #: That of the scope.
    workspace: Workspace | None = None

    @property
    def text(self) -> str:
        """What the mails are about. Names are only those that the person may still read, and of a workspace that requires a second step
        only its own, as in its mails.
        """
        if self.scope is None:
            return _("The daily email, and all other emails of notifications")
        workspace = self.workspace
        if workspace is None:
            return str(self.scope.topic.label)
        try:
            member_access.access_for(self.person, workspace.slug)
        except member_access.NoAccess:
            return _("Notifications from a workspace that you cannot open any more")
        values = {"workspace": formats.cut(workspace.name, _NAME)}
        if self.scope.topic == Topic.ALARMS:
            return _("All alarms in “%(workspace)s”") % values
        if not self.scope.flow_id:
            return _("Failures and alarms of all flows in “%(workspace)s”") % values
        name = "" if workspace.second_factor_required else self.flow_name
        if not name:
            return _("Failures and alarms of one flow in “%(workspace)s”") % values
        return _("Failures and alarms of “%(flow)s” in “%(workspace)s”") % (values | {"flow": name})

    @property
    def flow_name(self) -> str:
        """The flow's name as the person was notified of it; empty if it is not known."""
        if self.scope is None or not self.scope.flow_id:
            return ""
        of_flow = {"user": self.person, "workspace": self.scope.workspace}
        watches = Watch.objects.filter(**of_flow, kind=WatchKind.FLOW, object_id=self.scope.flow_id)
        name = watches.values_list("name", flat=True).first()
        if not name:
            notices = Notice.objects.filter(**of_flow, flow_id=self.scope.flow_id).order_by("-last_at")
            about = notices.values_list("about", flat=True).first()
            name = about.get("flow") if isinstance(about, dict) else ""
        return formats.cut(name, _NAME) if isinstance(name, str) else ""

    @property
    def mute(self) -> Mute | None:
        """The mute of these mails; None for the digest, and while they are on."""
        if self.scope is None:
            return None
        return Mute.objects.filter(
            user=self.person,
            workspace=self.scope.workspace,
            topic=self.scope.topic,
            flow_id=self.scope.flow_id,
            mail_only=True,
        ).first()

    @property
    def done(self) -> bool:
        """Whether these mails are off."""
        return self.person.mail_delivery == MailDelivery.NONE if self.scope is None else self.mute is not None

    def stop(self) -> None:
        """Turn these mails off. What is off stays off."""
        if self.scope is None:
            self._deliver(MailDelivery.NONE)
        elif not self.done:
            mutes.mute(Actor(self.person), self.scope, self.person, until=None, name=self.flow_name, mail_only=True)

    def resume(self) -> None:
        """Undo `stop`."""
        if self.scope is None:
            if self.done:
                self._deliver(MailDelivery.DAILY)
        elif (row := self.mute) is not None:
            mutes.unmute(Actor(self.person), row)

    def _deliver(self, delivery: MailDelivery) -> None:
        self.person.mail_delivery = delivery
        self.person.save(update_fields=["mail_delivery"])
        notifications.reschedule(self.person)


def url(person: User, scope: Scope | None) -> str:
    """The address of the link for a mail to a person; without a scope for a digest."""
    parts = (
        [person.pk, scope.topic.value, scope.workspace or 0, scope.flow_id] if scope else [person.pk, _DIGEST, 0, ""]
    )
    return settings.BASE_URL + reverse("unsubscribe", args=[signing.Signer(salt=_SALT).sign_object(parts)])


def headers(address: str) -> dict[str, str]:
    """The headers of a mail with this link. One click is for HTTPS only (RFC 8058, section 3.1)."""
    one_click = {"List-Unsubscribe-Post": "List-Unsubscribe=One-Click"} if address.startswith("https://") else {}
    return {"List-Unsubscribe": f"<{address}>"} | one_click


def read(token: str) -> Unsubscription | None:
    """What a link turns off; None if it was not made here, or its account or workspace is gone or deactivated."""
    try:
        parts = signing.Signer(salt=_SALT).unsign_object(token)
    except (signing.BadSignature, ValueError):
        return None
    match parts:
        case [int(person_id), str(topic), int(workspace_id), str(flow_id)]:
            person = User.objects.filter(pk=person_id, is_active=True).first()
        case _:
            return None
    if person is None:
        return None
    if topic == _DIGEST:
        return Unsubscription(person)
    if topic not in Topic.values:
        return None
    workspace = Workspace.objects.filter(pk=workspace_id).first()
    if (workspace is None) == (topic in OF_WORKSPACES):
        return None
    return Unsubscription(person, Scope(Topic(topic), workspace.pk if workspace else None, flow_id), workspace)
