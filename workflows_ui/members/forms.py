"""Forms of members, teams, invitations, launch rights and workspaces."""

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from django import forms
from django.contrib.auth import password_validation
from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.core.validators import validate_email
from django.db.models import Q, QuerySet
from django.forms.renderers import BaseRenderer
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.datastructures import MultiValueDict
from django.utils.functional import Promise
from django.utils.http import urlencode
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _, ngettext, pgettext_lazy

from workflows_ui.accounts.models import User
from workflows_ui.accounts.services import people as accounts
from workflows_ui.core.collation import by_name
from workflows_ui.core.form_choices import set_choices, set_rows
from workflows_ui.credentials.messages import picker_labels
from workflows_ui.credentials.models import Credential
from workflows_ui.credentials.services import sharing
from workflows_ui.lists.filters import choice_field
from workflows_ui.members.models import Role, Workspace
from workflows_ui.members.services import directory, launch_rights, launcher_pages, teams
from workflows_ui.members.services.launcher_pages import Preset

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise


class PersonInput(forms.TextInput):
    """A text field with suggestions below it; `choices` are the people who fit the submitted text, of whom one must be chosen.

    A choice counts only for the text that it was offered for, so that a corrected text wins.
    """

    choices: list[User] = []  # replaced, never changed
    #: The slug of the workspace into which an address that nobody has can be invited; "" where it cannot.
    invites_to = ""
    #: The primary key of a person who is not suggested; 0 for nobody.
    leaves_out = 0

    def render(
        self, name: str, value: object, attrs: dict[str, object] | None = None, renderer: BaseRenderer | None = None
    ) -> SafeString:
        suggestions = f"{(attrs or {}).get('id', name)}-people"
        query = {"field": name, "invite": self.invites_to, "but": str(self.leaves_out or "")}
        suggesting = {
            "hx-get": f"{reverse('people_suggest')}?{urlencode({key: part for key, part in query.items() if part})}",
            "hx-trigger": "input changed delay:150ms",
            "hx-target": f"#{suggestions}",
            "hx-sync": "this:replace",
            "hx-params": name,
        }
        field = super().render(name, value, (attrs or {}) | suggesting, renderer)
        context = {"input": field, "name": name, "text": value, "suggestions": suggestions, "choices": self.choices}
        return render_to_string("members/person_input.html", context)

    def value_from_datadict(
        self, data: Mapping[str, object], files: "MultiValueDict[str, UploadedFile[bytes]]", name: str
    ) -> object:
        text = super().value_from_datadict(data, files, name)
        chosen = data.get(f"{name}-chosen", "")
        return chosen if chosen and data.get(f"{name}-for") == text else text


class PersonField(forms.CharField):
    """A user name, e-mail address or full name. The value is the active person with it, None if it is empty.

    `people` are those who may be found by part of their name: of these, the person who fills in the form chooses. By default nobody is.
    """

    default_error_messages = {
        "unknown": _("No one with this username or email address has an account here."),
        "several": _("Choose the person that you mean, or type the whole username or email address."),
    }
    people: QuerySet[User] = User.objects.none()
    widget: PersonInput

    def __init__(
        self,
        *,
        label: "StrOrPromise",
        required: bool = True,
        help_text: "StrOrPromise" = "",
        error_messages: "Mapping[str, StrOrPromise] | None" = None,
    ) -> None:
        attributes = {"autocomplete": "off", "spellcheck": "false", "autocapitalize": "none"}
        super().__init__(
            label=label,
            required=required,
            help_text=help_text,
            error_messages=error_messages,
            max_length=254,
            widget=PersonInput(attrs=attributes),
        )

    def clean(self, value: object) -> User | None:
        name = super().clean(value)
        person = accounts.find_person(name) or directory.find_by_full_name(self.people, name)
        if name and person is None:
            self.widget.choices = directory.search(self.people, name)
            code = "several" if self.widget.choices else "unknown"
            raise ValidationError(self.error_messages[code], code)
        return person


class FormWithPeople(forms.Form):
    """A form whose person fields find people by part of a name: `people` are those whom the person who fills it in may see."""

    def __init__(
        self,
        data: Mapping[str, object] | None = None,
        *,
        initial: dict[str, object] | None = None,
        people: QuerySet[User] | None = None,
    ) -> None:
        super().__init__(data, initial=initial)
        for field in self.fields.values():
            if isinstance(field, PersonField) and people is not None:
                field.people = people


class RoleForm(forms.Form):
    role = forms.TypedChoiceField(label=_("Role"), coerce=Role, choices=Role.choices, initial=Role.LAUNCHER)


class PeopleFilterForm(forms.Form):
    """The filters of the list of people."""

    search = forms.CharField(label=_("Name, username or email address"), max_length=200, required=False)
    account = choice_field(
        _("Account"),
        {
            "active": pgettext_lazy("account", "Active"),
            "off": _("Deactivated"),
            "administrator": _("Administrator"),
        },
    )


class LaunchRightFilterForm(forms.Form):
    """The filters of the list of launch rights."""

    state = choice_field(_("State"), {"usable": _("In force"), "ended": pgettext_lazy("launch rights", "Ended")})


class HolderForm(FormWithPeople):
    """A person or a team: `holder` of a valid form."""

    who = PersonField(label=_("A person"), required=False, help_text=_("Name, username or email address"))
    team = forms.ModelChoiceField(
        label=_("Or a team"),
        queryset=Group.objects.order_by(*by_name("name")),
        required=False,
        empty_label=_("No team"),
    )
    holder: User | Group

    @property
    def unknown_address(self) -> str:
        """The e-mail address that was submitted for a person, if no account has it, else ""."""
        text = str(self["who"].value() or "").strip()
        return text if self.has_error("who", "unknown") and is_address(text) else ""

    def clean(self) -> dict[str, object]:
        super().clean()
        data = self.cleaned_data
        if "who" in self.errors or "team" in self.errors:
            return data
        if data["who"] and data["team"]:
            self.add_error("team", _("Choose a person or a team, not both."))
        elif not data["who"] and not data["team"]:
            self.add_error("who", _("Name a person, or choose a team."))
        else:
            self.holder = data["who"] or data["team"]
        return data


class AddPeopleForm(HolderForm, RoleForm):
    who = PersonField(
        label=_("A person"),
        required=False,
        help_text=_(
            "Name, username or email address. Suggested are the people you work with already; people of "
            "other workspaces are found only by their exact username or address. An address that no one "
            "has yet can be invited by email."
        ),
    )
    field_order = ("who", "team", "role")

    def __init__(
        self,
        data: Mapping[str, object] | None = None,
        *,
        invites_to: str,
        initial: dict[str, object] | None = None,
        people: QuerySet[User] | None = None,
    ) -> None:
        super().__init__(data, initial=initial, people=people)
        self.fields["who"].widget.invites_to = invites_to

    @property
    def address_to_invite(self) -> str:
        """The e-mail address that was given for a person, also by the page that led here, if no account has it."""
        given = str(self["who"].value() or "").strip()
        if not self.is_bound and is_address(given) and accounts.find_person(given) is None:
            return given
        return "" if self["team"].value() else self.unknown_address


def is_address(text: str) -> bool:
    try:
        validate_email(text)
    except ValidationError:
        return False
    return True


class TeamForm(forms.Form):
    name = forms.CharField(label=_("Name"), max_length=150, widget=forms.TextInput(attrs={"autocomplete": "off"}))
    description = forms.CharField(label=_("Description"), max_length=300, required=False)


class PersonForm(FormWithPeople):
    who = PersonField(label=_("Name, username or email address"))


class SuccessorForm(FormWithPeople):
    """Who gets what a `leaving` person leaves: one of the other people."""

    successor = PersonField(
        label=_("Hand it over to"),
        required=False,
        help_text=_("Name, username or email address"),
        error_messages={"unknown": _("Name someone else with an active account.")},
    )

    def __init__(
        self,
        data: Mapping[str, object] | None,
        *,
        initial: dict[str, object],
        leaving: User,
        people: QuerySet[User],
    ) -> None:
        super().__init__(data, initial=initial, people=people.exclude(pk=leaving.pk))
        self.fields["successor"].widget.leaves_out = leaving.pk


class InvitingWorkspaceForm(forms.Form):
    """The workspace into which an administrator invites people: one of those that they manage."""

    workspace = forms.ModelChoiceField(
        label=_("Into which workspace?"),
        queryset=Workspace.objects.none(),
        to_field_name="slug",
        empty_label=_("Choose a workspace"),
        help_text=_("Listed are the workspaces that you manage."),
    )

    def __init__(self, data: Mapping[str, object] | None, *, managed: QuerySet[Workspace]) -> None:
        super().__init__(data)
        set_rows(self, "workspace", managed)


class DaysForm(forms.Form):
    days = forms.TypedChoiceField(
        label=_("The link works for"),
        coerce=int,
        initial=7,
        choices=lambda: [(number, ngettext("%d day", "%d days", number) % number) for number in (1, 7, 30)],
    )


class InviteForm(DaysForm):
    """Address, role (None for no role), teams and validity. The page that adds people shows the first two in its own form."""

    who = forms.EmailField(max_length=254)
    role = forms.TypedChoiceField(coerce=Role, empty_value=None, required=False, choices=Role.choices)
    teams = forms.ModelMultipleChoiceField(
        label=_("Teams that they join"),
        queryset=Group.objects.none(),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("Members of a team can use its credentials and launch what the team may launch."),
    )

    def __init__(self, data: Mapping[str, object] | None = None, *, teams: QuerySet[Group]) -> None:
        super().__init__(data)
        set_rows(self, "teams", teams)
        if not teams:
            del self.fields["teams"]

    def clean(self) -> dict[str, object]:
        """Require a role or a team, without which the invitation would have no effect."""
        super().clean()
        data = self.cleaned_data
        if "role" not in self.errors and not data.get("role") and not data.get("teams"):
            self.add_error("role", _("Without a role they need a team. Choose one of the two."))
        return data


class JoinForm(forms.ModelForm):  # type: ignore[type-arg]  # not subscriptable at run time
    """The account of an invited person. The e-mail address is the invitation's, not a field."""

    password1 = forms.CharField(
        label=_("Password"),
        strip=False,
        help_text=_("At least 12 characters."),
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )
    password2 = forms.CharField(
        label=_("Confirm password"),
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    class Meta:
        model = User
        fields = ("username", "first_name", "last_name")
        labels = {"username": _("Username"), "first_name": _("First name"), "last_name": _("Last name")}
        help_texts = {"username": _("Letters, digits and @ . + - _")}
        error_messages = {"username": {"invalid": _("Only letters, digits and @ . + - _, without spaces.")}}
        widgets = {
            "username": forms.TextInput(
                attrs={"autocomplete": "username", "autocapitalize": "none", "spellcheck": "false"}
            )
        }

    def clean_username(self) -> str:
        name = str(self.cleaned_data["username"])
        if User.objects.filter(username__iexact=name).exists():
            raise ValidationError(_("Someone has this username. Choose another one."))
        return name

    def clean(self) -> dict[str, object]:
        """Require equal passwords that are strong enough for this person."""
        super().clean()
        data = self.cleaned_data
        first, second = data.get("password1"), data.get("password2")
        if first and second and first != second:
            self.add_error("password2", _("The two passwords are not the same."))
        elif first and second:
            person = User(**{name: data.get(name, "") for name in self.Meta.fields}, email=self.instance.email)
            try:
                password_validation.validate_password(first, person)
            except ValidationError as problem:
                self.add_error("password1", problem)
        return data


class LimitsForm(forms.Form):
    """Optional limits: an end and a number of launches. `used` is the number of launches used so far."""

    used = 0

    until = forms.DateTimeField(
        label=_("Until"),
        required=False,
        help_text=_("If empty, it is valid until you revoke it."),
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        input_formats=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M"],
        error_messages={"invalid": _("Give day and time, such as 2030-05-31 18:00.")},
    )
    most_launches = forms.IntegerField(
        label=_("Maximum launches"),
        required=False,
        min_value=1,
        max_value=100_000,
        help_text=_("If empty, there is no limit. A team's launches are counted together."),
    )

    def clean_until(self) -> datetime | None:
        moment: datetime | None = self.cleaned_data["until"]
        if moment is not None and moment <= timezone.now():
            raise ValidationError(_("That time has passed. Choose a later one."))
        return moment

    def clean_most_launches(self) -> int | None:
        most: int | None = self.cleaned_data["most_launches"]
        if most is not None and most < self.used:
            raise ValidationError(_("%(n)d are used already. Enter at least this number.") % {"n": self.used})
        return most


class CredentialField(forms.ModelChoiceField):  # type: ignore[type-arg]  # not subscriptable at run time
    """A credential, with its owner; those of one name and owner are distinguished."""

    _labels: dict[str, str] | None = None

    def label_from_instance(self, obj: Credential) -> str:
        if self._labels is None:
            self._labels = dict(picker_labels(self.queryset or ()))
        return self._labels.get(str(obj.pk), obj.name)


class LaunchRightForm(HolderForm, LimitsForm):
    """A person or a team, with optional limits, and the credential that acts for a team. Refused if none would act.

    An e-mail address that nobody has is `invited`, into the team. `giver` is who gives the right: only the owner of a credential shares
    it with another team.
    """

    #: The address of a valid form whose right comes with an invitation; "" with a `holder`.
    invited = ""

    who = PersonField(
        label=_("A person"),
        required=False,
        help_text=_(
            "Name, username or email address. They do not have to be a member: with this right alone "
            "they see nothing else here. Someone without an account is invited: enter their email address, and "
            "choose the team that they join. If the team has a role here, they have it too, and see more than this flow."
        ),
        error_messages={
            "unknown": _(
                "No one with this username or email address has an account here. To invite someone, enter their email address."
            )
        },
    )
    credential = CredentialField(
        label=_("Credential for the team"),
        queryset=Credential.objects.none(),
        required=False,
        empty_label=_("The team's current credential"),
        help_text=_(
            "It is shared with the team, used for members without one of their own, and still belongs to "
            "its owner. Listed are yours, and those that teams use with their owners' consent."
        ),
    )
    field_order = ("who", "team", "credential", "until", "most_launches")

    def __init__(
        self,
        data: Mapping[str, object] | None,
        *,
        workspace: Workspace,
        giver: User,
        people: QuerySet[User],
    ) -> None:
        super().__init__(data, people=people)
        self._workspace, self._giver = workspace, giver
        shared = {share.credential_id for share in sharing.genuine(credential__workspace=workspace)}
        rows = Credential.objects.filter(Q(owner=giver, taken_over=False) | Q(pk__in=shared), workspace=workspace)
        set_rows(self, "credential", rows.select_related("owner").order_by("name", "created_at"))

    def clean(self) -> dict[str, object]:
        """Reject a credential for a person, since credentials are shared with teams only, and a holder for whom none acts."""
        super().clean()
        data = self.cleaned_data
        credential = data.get("credential")
        self.invited = self.unknown_address
        if self.invited:
            del self.errors["who"]
        if credential and data.get("who"):
            self.add_error(
                "credential", _("A credential can be shared with a team only. Choose a team, or leave this empty.")
            )
        elif credential and data.get("team") and not self._may_share(credential, data["team"]):
            values = {"owner": credential.owner.label}
            self.add_error(
                "credential",
                _("Only %(owner)s can agree that another team uses it. Ask them on the credential's page.") % values,
            )
        elif self.invited and "team" not in self.errors:
            self._require_joined_team(data["team"], credential)
        elif not self.errors:
            self._require_credential(credential)
        return data

    def _require_joined_team(self, team: Group | None, credential: Credential | None) -> None:
        """Reject a team through which the invited person could launch nothing, and one that the giver may not put anybody into."""
        if team is None:
            self.add_error(
                "team",
                _(
                    "No one has an account with this address. To invite them, choose the team that they join: they launch with its "
                    "credential."
                ),
            )
        elif team not in teams.giveable(self._giver, self._workspace):
            self.add_error(
                "team",
                _(
                    "You may not add people to this team. Choose one that you own, or one of this workspace that gives access to "
                    "nothing you do not manage."
                ),
            )
        elif credential is None and not sharing.genuine(credential__workspace=self._workspace, team=team):
            self.add_error(
                "team",
                _(
                    "This team uses no credential here, so the invited person could not launch anything. Choose a credential for the team "
                    "below, or another team."
                ),
            )

    def _may_share(self, credential: Credential, team: Group) -> bool:
        return credential.is_own(self._giver.pk) or team in sharing.teams(credential)

    def _require_credential(self, credential: Credential | None) -> None:
        try:
            launch_rights.require_credential(self.holder, self._workspace, credential)
        except launch_rights.NothingActs as problem:
            self.add_lack(problem)

    def add_lack(self, problem: launch_rights.NothingActs) -> None:
        """Say at the field why no credential would act for the holder."""
        if self.invited:
            self._require_joined_team(self.cleaned_data["team"], None)
        elif isinstance(self.holder, User):
            text = _(
                "%(person)s has no credential here, and none of their teams uses one, so nothing could be "
                "launched. Add them to a team, and give the right to the team, with a credential."
            )
            self.add_error("who", text % {"person": self.holder.label})
        elif problem.people:
            names = ", ".join(person.label for person in problem.people[:5])
            text = _("These people of the team have no credential to use: %(names)s. Choose one for the team.")
            self.add_error("credential", text % {"names": names})
        else:
            self.add_error("credential", _("No one is in the team, and it uses no credential. Choose one for it."))


class WorkspaceForm(forms.ModelForm):  # type: ignore[type-arg]  # not subscriptable at run time
    """Name, colour bar, switches, and what launchers see. Saved by members.services.members, not by the form.

    `stepped`: whether the manager has a second step; without one, requiring it would lock them out. `pages`: what can be hidden from
    launchers (web.navigation.hideable).
    """

    class Meta:
        model = Workspace
        fields = ("name", "colour", "launching_paused", "second_factor_required", "causes_in_notices", "reasons_asked")
        labels = {
            "colour": _("Colour bar"),
            "launching_paused": _("Pause launching"),
            "second_factor_required": _("Require two-factor authentication"),
            "causes_in_notices": _("Emails and notifications name the cause of failures"),
            "reasons_asked": _("Ask for a reason"),
        }
        help_texts = {
            "colour": _("A coloured line on every page, so that no one takes one environment for another."),
            "launching_paused": _(
                "While this is on, no one can launch a flow here. Running launches continue and are followed to their "
                "end, and failed runs can still be retried."
            ),
            "second_factor_required": _(
                "Members who sign in with only a password have to set up an authenticator app or a passkey before they "
                "see anything here. Single sign-on counts if the provider reports a second factor. The page “Members” "
                "shows who has none yet."
            ),
            "causes_in_notices": _(
                "The message of the failed step and what usually helps, with secrets masked, for people who "
                "may open the launch or run. Emails leave the console: without this, they name only the flow "
                "and the step, and channels for alarms name no cause either."
            ),
            "reasons_asked": _(
                "People who delete or stop something of the engine, or change many objects at once, enter a reason first. It is in the "
                "audit log."
            ),
        }

    launchers_see = forms.ChoiceField(
        label=_("Launchers see"),
        choices=Preset.choices,
        required=False,
        widget=forms.RadioSelect,
        help_text=_(
            "For launchers, other pages do not exist: not in the menu, not in the search, and not by their address. They always have "
            "their home, the flows that they may launch, and their launches."
        ),
    )
    hidden_pages = forms.MultipleChoiceField(
        label=_("Pages hidden from launchers"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("Used if “All but the pages chosen below” is selected above."),
    )

    def __init__(
        self,
        data: Mapping[str, object] | None,
        *,
        instance: Workspace,
        stepped: bool,
        pages: Mapping[str, str | Promise],
    ) -> None:
        self._stepped = stepped
        super().__init__(data, instance=instance)
        set_choices(self, "hidden_pages", pages.items())
        self.fields["hidden_pages"].initial = self.instance.hidden_pages
        self.fields["launchers_see"].initial = launcher_pages.preset(self.instance.hidden_pages)

    def clean(self) -> dict[str, object]:
        """Make the chosen preset a list of pages."""
        cleaned = super().clean() or {}
        chosen = Preset(cleaned.pop("launchers_see", "") or Preset.CHOSEN)
        if chosen != Preset.CHOSEN:
            cleaned["hidden_pages"] = launcher_pages.hidden(chosen)
        return cleaned

    def clean_second_factor_required(self) -> bool:
        """Reject the requirement if the manager does not meet it."""
        required: bool = self.cleaned_data["second_factor_required"]
        if required and not self.instance.second_factor_required and not self._stepped:
            raise forms.ValidationError(
                _(
                    "You do not use two-factor authentication yourself, and would be locked out at once. Set it up "
                    "first."
                )
            )
        return required
