"""The page of what a person follows: a section for each workspace, a line for each subscription, and what each line brings."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from workflows_ui.accounts.models import MailDelivery, User
from workflows_ui.core import formats
from workflows_ui.core.collation import plain
from workflows_ui.members.models import Role, Workspace
from workflows_ui.members.services import access as member_access
from workflows_ui.members.services.access import Access
from workflows_ui.notifications import mutes
from workflows_ui.notifications.models import OF_WORKSPACES, Mute, Topic, Watch, WatchKind
from workflows_ui.notifications.mutes import Scope
from workflows_ui.resource_admin.places import flow_url
from workflows_ui.web.elements import Button

#: The longest name of a flow on the page.
_NAME = 120
#: The kinds of subscriptions in the order of the page.
_KINDS = (WatchKind.ALARMS, WatchKind.FLOW, WatchKind.LAUNCH)


@dataclass(frozen=True)
class MuteLine:
    """A mute in words, and the address that ends it; empty for people who may not."""

    text: str
    unmute_url: str


@dataclass(frozen=True)
class FollowLine:
    """Something that notifies the person. `id` is the element's; `muted` says whether anything mutes it, also for the whole workspace,
    `brings` what it brings, `mutes` are its own."""

    id: str
    title: str
    detail: str
    url: str
    muted: bool
    brings: str
    mutes: Sequence[MuteLine]
    #: The action beside the fold of the others.
    button: Button
    more: Sequence[Button]


@dataclass(frozen=True)
class Section:
    """A workspace with its lines, and the mutes there that belong to no line; without `url`, what comes without following."""

    title: str
    url: str
    lines: Sequence[FollowLine]
    mutes: Sequence[MuteLine] = ()
    mute_url: str = ""


@dataclass(frozen=True)
class Follows:
    """The page. `lost` is the number of subscriptions in workspaces that the person may not open any more; `closed` are the names of
    workspaces that require a second step first."""

    sections: Sequence[Section]
    lost: int
    closed: Sequence[str]

    def section_of(self, line_id: str) -> Section | None:
        """A section of only the line with this id; None without one."""
        found = ((section, line) for section in self.sections for line in section.lines if line.id == line_id)
        return next((Section(section.title, section.url, [line]) for section, line in found), None)


def follows(person: User, closed: set[int]) -> Follows:
    """What a person follows. `closed`: primary keys of the workspaces whose contents must not be shown."""
    watches = list(Watch.objects.filter(user=person))
    spaces = {workspace.pk: workspace for workspace in member_access.listed_workspaces(person)}
    muted = mutes.of_person(person, spaces)
    sections = []
    for pk, workspace in spaces.items():
        here = [watch for watch in watches if watch.workspace_id == pk]
        if pk not in closed and (here or any(row.workspace_id == pk for row in muted)):
            section = _WorkspaceLines(member_access.access_for(person, workspace.slug), muted).section(here)
            sections += [section] if section.lines or section.mutes else []
    own = Section(_("Also sent to you"), "", [_own_line(person, topic, muted) for topic in OWN_TOPICS])
    lost = sum(watch.workspace_id not in spaces for watch in watches)
    return Follows([*sections, own], lost, [spaces[pk].name for pk in spaces if pk in closed])


#: The topics of what comes without following.
OWN_TOPICS = tuple(topic for topic in Topic if topic not in OF_WORKSPACES)


def muted_texts(person: User, closed: Callable[[Iterable[Workspace]], set[int]]) -> list[str]:
    """Everything that is muted for a person now, in words, as `follows` has it. One query if nothing is.

    Args:
        closed: returns the primary keys of the workspaces among some whose contents must not be shown.
    """
    if not mutes.any_for(person, member_access.workspaces(person)):
        return []
    sections = follows(person, closed(member_access.listed_workspaces(person))).sections
    named = [mute.text for section in sections for mute in section.mutes]
    lines = [line for section in sections for line in section.lines]
    return named + [f"{line.title}: {mute.text}" for line in lines for mute in line.mutes]


def line_id(user: User, scope: Scope | None) -> str:
    """The id of a person's line with this scope; empty without one."""
    if scope is None:
        return ""
    if scope.workspace is None:
        return f"topic-{scope.topic}"
    kind = WatchKind.FLOW if scope.topic == Topic.FLOWS else WatchKind.ALARMS
    rows = Watch.objects.filter(user=user, workspace=scope.workspace, kind=kind, object_id=scope.flow_id)
    return next((f"line-{pk}" for pk in rows.values_list("pk", flat=True)), "")


def mute_text(row: Mute) -> str:
    """Until when something is muted, and for everyone by whom and since when."""
    until = formats.short_time(row.until) if row.until else ""
    if row.user_id is not None:
        return _("Muted until %(time)s") % {"time": until} if until else _("Muted until you unmute it")
    by = formats.cut(row.muted_by.label) if row.muted_by else _("someone who has left")
    values = {"name": by, "since": formats.short_time(row.muted_at), "time": until}
    if until:
        return _("Muted for everyone until %(time)s, by %(name)s since %(since)s") % values
    return _("Muted for everyone by %(name)s since %(since)s") % values


def flow_mute(person: User, workspace: Workspace, flow_id: str) -> dict[str, str] | None:
    """What mutes a flow for a person now, in `short` and `long` words; None if nothing does."""
    rows = mutes.of_flow(person, workspace, flow_id)
    if not rows:
        return None
    until = rows[0].until
    day = formats.short_date(timezone.localtime(until).date()) if until else ""
    short = _("Muted until %(time)s") % {"time": day} if day else _("Muted")
    return {"short": short, "long": ". ".join(map(mute_text, rows[:3]))}


def scope_text(topic: Topic, name: str) -> str:
    """What is muted, in words. `name` is the flow's, empty for all flows."""
    if topic == Topic.FLOWS:
        return formats.cut(name, _NAME) or _("Failures and alarms of all flows")
    return str(topic.label)


def _brings(person: User, muted: Iterable[Mute]) -> str:
    """What a line brings now: the bell and mails, the bell only, or nothing."""
    mail_only = {row.mail_only for row in muted}
    if False in mail_only:
        return _("Muted")
    if True in mail_only or person.mail_delivery == MailDelivery.NONE or not person.email:
        return _("Bell only")
    return _("Bell, and email once a day") if person.mail_delivery == MailDelivery.DAILY else _("Bell and email")


def _line(
    person: User,
    id: str,
    texts: tuple[str, str, str],
    muted: Sequence[Mute],
    own: Sequence[tuple[Mute, str]],
    mute_url: str,
    stop: Sequence[Button] = (),
    *,
    manages: bool = False,
) -> FollowLine:
    """A line that can be muted.

    Args:
        texts: title, detail and URL.
        muted: everything that mutes it.
        own: its own mutes, with the addresses that end them.
        mute_url: the address that mutes it.
        stop: the button that ends it.
        manages: whether the person may mute it for everyone.
    """
    silent = next((url for row, url in own if row.user_id is not None and not row.mail_only), "")
    no_mail = next((url for row, url in own if row.mail_only), "")
    title, detail, url = texts
    button = Button(_("Mute for a week"), "bell-off", mute_url, posts=True)
    if silent:
        button = Button(_("Unmute"), "bell", silent, posts=True)
    choose = _("Choose how long and for whom") if manages else _("Choose how long")
    more = [Button(choose, "clock", mute_url)]
    if no_mail:
        more.append(Button(_("Turn on emails"), "mail", no_mail, posts=True))
    elif person.mail_delivery != MailDelivery.NONE and person.email:
        more.append(Button(_("Turn off emails"), "mail", f"{mute_url}&mail=off", posts=True))
    return FollowLine(
        id,
        title,
        detail,
        url,
        any(not row.mail_only for row in muted),
        _brings(person, muted),
        [MuteLine(mute_text(row), "" if row.user_id else address) for row, address in own if not row.mail_only],
        button,
        [*more, *stop],
    )


def _own_line(person: User, topic: Topic, muted: Iterable[Mute]) -> FollowLine:
    own = [(row, reverse("own_unmute", args=[row.pk])) for row in muted if row.topic == topic]
    url = f"{reverse('own_mute')}?{urlencode({'topic': topic.value})}"
    return _line(person, f"topic-{topic}", (str(topic.label), "", ""), [row for row, _url in own], own, url)


class _WorkspaceLines:
    """The lines of one workspace."""

    def __init__(self, access: Access, muted: Sequence[Mute]) -> None:
        self._access = access
        self._muted = [row for row in muted if row.workspace_id == access.workspace.pk]
        self._launches = [row for row in muted if row.topic == Topic.LAUNCHES]
        self._manages, self._views = access.allows(Role.MANAGER), access.allows(Role.VIEWER)

    def section(self, watches: Iterable[Watch]) -> Section:
        ordered = sorted(watches, key=lambda watch: (_KINDS.index(WatchKind(watch.kind)), plain(watch.name), watch.pk))
        lines = [self._line(watch) for watch in ordered]
        shown = {row.pk for watch in ordered for row in self._of(watch)}
        rest = [row for row in self._muted if row.pk not in shown and self._concerns(row)]
        slug = self._access.workspace.slug
        url = f"{reverse('follow_mute', args=[slug])}?topic={Topic.FLOWS}" if self._views else ""
        named = [MuteLine(self._named(row), self._unmute_url(row)) for row in rest]
        return Section(self._access.workspace.name, reverse("workspace", args=[slug]), lines, named, url)

    def _concerns(self, row: Mute) -> bool:
        """Whether a mute without a line is shown: one's own, that of all flows, and any to managers."""
        return row.user_id is not None or self._manages or (self._views and not row.flow_id)

    def _of(self, watch: Watch) -> list[Mute]:
        """The mutes of exactly a subscription."""
        if watch.kind == WatchKind.LAUNCH:
            return []
        topic = Topic.FLOWS if watch.kind == WatchKind.FLOW else Topic.ALARMS
        return [row for row in self._muted if (row.topic, row.flow_id) == (topic, watch.object_id)]

    def _named(self, row: Mute) -> str:
        text = _("No emails") if row.mail_only else mute_text(row)
        return f"{scope_text(Topic(row.topic), row.name or row.flow_id)}: {text}"

    def _unmute_url(self, row: Mute) -> str:
        if row.user_id is not None:
            return reverse("own_unmute", args=[row.pk])
        return reverse("follow_unmute", args=[self._access.workspace.slug, row.pk]) if self._manages else ""

    def _line(self, watch: Watch) -> FollowLine:
        access, slug = self._access, self._access.workspace.slug
        line, name = f"line-{watch.pk}", formats.cut(watch.name or watch.object_id, _NAME)
        stop = Button(_("Stop following"), "x", reverse("unfollow", args=[watch.pk]), posts=True)
        if watch.kind == WatchKind.LAUNCH:
            url = reverse("launch", args=[slug, watch.object_id])
            silent = any(not row.mail_only for row in self._launches)
            brings = _brings(access.user, self._launches)
            return FollowLine(line, name, _("The end of this launch"), url, silent, brings, (), stop, ())
        own = [(row, self._unmute_url(row)) for row in self._of(watch)]
        whole = [row for row in self._muted if (row.topic, row.flow_id) == (Topic.FLOWS, "")]
        if watch.kind == WatchKind.FLOW:
            url = flow_url(slug, watch.object_id) if self._views and access.sees("flows") else ""
            texts, scope = (name, _("Failures and alarms"), url), {"topic": Topic.FLOWS.value, "flow": watch.object_id}
        else:
            url = reverse("alarms", args=[slug]) if self._views and access.sees("alarms") else ""
            texts, scope = (_("All alarms"), _("Alarms of every flow"), url), {"topic": Topic.ALARMS.value}
        mute_url = f"{reverse('follow_mute', args=[slug])}?{urlencode(scope)}"
        muted = [row for row, _url in own] + whole
        return _line(access.user, line, texts, muted, own, mute_url, [stop], manages=self._manages)
