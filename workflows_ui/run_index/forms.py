"""Forms of the run index."""

from collections.abc import Mapping, Sequence
from datetime import date

from django import forms
from django.contrib.auth.models import Group
from django.db.models import QuerySet
from django.utils.text import format_lazy
from django.utils.translation import gettext, gettext_lazy as _

from workflows_ui.accounts.models import User
from workflows_ui.core.collation import by_name
from workflows_ui.core.form_choices import set_choices
from workflows_ui.credentials.messages import picker_labels
from workflows_ui.credentials.models import Credential
from workflows_ui.members.models import Workspace
from workflows_ui.members.services import teams
from workflows_ui.members.services.access import Access
from workflows_ui.run_index.models import Kept, RunIndex, Search
from workflows_ui.run_index.services import indexes
from workflows_ui.run_index.services.first_start import own_credentials, people_of

#: The most people of a team who are named in a choice, and who are offered for a new one.
NAMED, OFFERED = 5, 100
#: The most days that runs are kept; the fewest and the most runs; the most kB of the inputs and outputs of one.
MOST_DAYS, FEWEST_RUNS, MOST_RUNS, MOST_KB = 3650, 1000, 5_000_000, 1024


class IndexForm(forms.Form):
    """The settings of a run index: its credential, what it keeps for how long, and its search.

    `choices` are the credentials with their teams, `labels` their labels by key; `has_parts` says
    whether the database finds parts of words.
    """

    credential = forms.ChoiceField(
        label=_("Credential"),
        help_text=_(
            "The console reads all runs that this credential opens. The people of its teams, and its owner, see them here."
        ),
    )
    keep_days = forms.IntegerField(
        label=_("Days to keep"),
        min_value=1,
        max_value=MOST_DAYS,
        help_text=_("Older runs are not read. Runs are deleted here when they become older, never in the engine."),
    )
    keep_runs = forms.IntegerField(
        label=_("Most runs to keep"),
        min_value=FEWEST_RUNS,
        max_value=MOST_RUNS,
        help_text=_(
            "If there are more, the oldest are deleted here within an hour, even if they are within these days. At most 5,000,000."
        ),
    )
    kept = forms.TypedChoiceField(
        label=_("Inputs and outputs of steps"),
        choices=Kept.choices,
        coerce=int,
        widget=forms.RadioSelect,
        help_text=_(
            "Secrets are masked before anything is kept, and everything is encrypted. With values, "
            "builders find runs by an order number, an email address or an ID, and everyone finds the "
            "launches that they may open. Keeping less deletes what was kept."
        ),
    )
    values_days = forms.IntegerField(
        label=_("Days to keep inputs and outputs"),
        min_value=1,
        max_value=MOST_DAYS,
        help_text=_("Counted from the run. They are then deleted; the run stays."),
    )
    values_kb = forms.IntegerField(
        label=_("Most kB of one run"),
        min_value=1,
        max_value=MOST_KB,
        help_text=_(
            "What does not fit is left out, step by step. The steps themselves stay, with their states and errors."
        ),
    )
    search = forms.TypedChoiceField(
        label=_("Search"),
        choices=Search.choices,
        coerce=int,
        widget=forms.RadioSelect,
        help_text=_(
            "Whole words: 4711 is found by “4711”, not by “471”. A copy of the database shows which runs and launches share a word, not "
            "which word it is. Parts of words: “471” finds it, too. A copy of the database then shows the words of errors, steps and tags, "
            "and, with values, words of inputs and outputs: names, addresses, order numbers. Secrets are left out in both cases. "
            "A change applies to everything that is kept, in the background."
        ),
    )

    days_off = forms.CharField(
        label=_("Days off"),
        required=False,
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": 3, "spellcheck": "false", "placeholder": "2026-12-25"}),
        help_text=_(
            "Holidays on which flows do not run, as 2026-12-25, one per line or separated by spaces. Runs missing on these days "
            "raise no alarm."
        ),
    )

    def __init__(
        self,
        data: Mapping[str, object] | None,
        *,
        initial: dict[str, object],
        choices: Mapping[Credential, Sequence[Group]],
        labels: Mapping[str, str],
        has_parts: bool,
    ) -> None:
        super().__init__(data, initial=initial)
        if not has_parts:
            set_choices(self, "search", [(Search.KEYED.value, Search.KEYED.label)])
            self.fields["search"].help_text = _(
                "Parts of words cannot be searched: this database lacks pg_trgm (PostgreSQL) or FTS5 with trigrams (SQLite 3.34). On "
                "PostgreSQL, an administrator runs “CREATE EXTENSION pg_trgm” in the database, and then “manage.py migrate” again."
            )
        self._credentials = {str(credential.pk): credential for credential in choices}
        names = (
            (key, format_lazy("{} ({})", label, ", ".join(team.name for team in choices[self._credentials[key]])))
            for key, label in labels.items()
        )
        set_choices(self, "credential", names)

    def clean_credential(self) -> Credential:
        return self._credentials[self.cleaned_data["credential"]]

    def clean_days_off(self) -> list[str]:
        """The days in order, without duplicates."""
        days = set()
        for word in self.cleaned_data["days_off"].replace(",", " ").split():
            try:
                days.add(date.fromisoformat(word).isoformat())
            except ValueError:
                text = gettext("“%(word)s” is not a date. Enter dates as 2026-12-25.") % {"word": word[:40]}
                raise forms.ValidationError(text) from None
        return sorted(days)


class FirstForm(forms.Form):
    """The credential and the team that a manager chooses for the first run index, while no credential is shared.

    `credentials` are the manager's own, `labels` their labels by key, `teams` those of the workspace. `new_team` is
    the name of the team that a superuser may create, "" for others, and `people` are those who may be put into it. `asks_values`: whether
    values are to be kept is asked, too.
    """

    credential = forms.ChoiceField(label=_("Your credential"))
    team = forms.ChoiceField(label=_("Share it with"))
    people = forms.MultipleChoiceField(
        label=_("People of the new team"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("You are in it. Others can be added to the team later."),
    )
    values = forms.BooleanField(
        label=_("Also keep inputs and outputs"),
        required=False,
        help_text=_("Encrypted, for 30 days. Runs are then found by an order number or an email address, too."),
    )
    keep_days = forms.IntegerField(label=_("Days to keep"), min_value=1, max_value=MOST_DAYS)

    def __init__(
        self,
        data: Mapping[str, object] | None,
        *,
        initial: dict[str, object],
        credentials: Sequence[Credential],
        labels: Mapping[str, str],
        teams: Sequence[Group],
        new_team: str,
        people: Sequence[User],
        asks_values: bool,
    ) -> None:
        super().__init__(data, initial=initial)
        self._people = {str(person.pk): person for person in people}
        set_choices(self, "people", [(key, person.label) for key, person in self._people.items()])
        if not new_team or not people:
            del self.fields["people"]
        if not asks_values:
            del self.fields["values"]
        self._credentials = {str(credential.pk): credential for credential in credentials}
        self._teams: dict[str, Group | None] = {str(team.pk): team for team in teams}
        names = [(key, team.name) for key, team in self._teams.items() if team]
        self._new_team = gettext("A new team: %(name)s") % {"name": new_team}
        if new_team:
            self._teams["new"] = None
            names.append(("new", self._new_team))
        set_choices(self, "credential", labels.items())
        set_choices(self, "team", names)

    def clean_credential(self) -> Credential:
        return self._credentials[self.cleaned_data["credential"]]

    def clean_team(self) -> Group | None:
        return self._teams[self.cleaned_data["team"]]

    def clean_people(self) -> list[User]:
        return [self._people[key] for key in self.cleaned_data["people"]]

    @property
    def settings(self) -> dict[str, int]:
        """The settings of the index that a valid form chooses."""
        chosen = {"keep_days": int(self.cleaned_data["keep_days"])}
        if "values" in self.fields:
            chosen["kept"] = Kept.VALUES if self.cleaned_data["values"] else Kept.NOTHING
        return chosen

    @property
    def audience(self) -> list[tuple[str, str, Sequence[User], int]]:
        """The teams that can be chosen: value, name, the first people of each, and how many more there are."""
        found = []
        for key, team in self._teams.items():
            people = people_of(team) if team else ()
            found.append((key, team.name if team else self._new_team, people[:NAMED], max(0, len(people) - NAMED)))
        return found


def first_form(
    access: Access,
    people: QuerySet[User] | None,
    data: Mapping[str, object] | None = None,
    credential: Credential | None = None,
) -> FirstForm | None:
    """The form for a manager who has a credential, and a team to share it with or the right to create one; None for others.

    Args:
        people: those whom the manager may add to a new team; None if they may create none.
        credential: the only one that can be chosen.
    """
    workspace = access.workspace
    credentials = [row for row in own_credentials(access) if credential is None or row.pk == credential.pk]
    choices = list(teams.teams_within([workspace]))
    name = new_team_name(workspace) if people is not None else ""
    if not credentials or not (choices or name):
        return None
    others: list[User] = []
    if people is not None:
        rows = people.exclude(pk=access.user.pk).order_by(*by_name("first_name"), "last_name", "username")
        others = list(rows[:OFFERED])
    return FirstForm(
        data,
        initial={
            "keep_days": RunIndex().keep_days,
            "team": "new" if name else choices[0].pk,
            "credential": credentials[0].pk,
        },
        credentials=credentials,
        labels=dict(picker_labels(credentials)),
        teams=choices,
        new_team=name,
        people=others,
        asks_values=indexes.index_of(workspace) is None,
    )


def new_team_name(workspace: Workspace) -> str:
    """The name of the team that is created for a run index."""
    return gettext("Runs of %(workspace)s") % {"workspace": workspace.name[:100]}


class EraseForm(forms.Form):
    run_id = forms.CharField(
        label=_("Engine ID of the run"),
        max_length=64,
        help_text=_("It is on the run's page, under “Details”, and in its address."),
    )
