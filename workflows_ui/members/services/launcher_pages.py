"""What launchers see of a workspace: one of three presets, or pages that a manager chose one by one."""

from collections.abc import Collection

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

#: The pages that can be hidden, as in web.navigation.hideable. Others belong to launching itself.
PAGES = (
    *(
        "runs",
        "triggers",
        "channel-automations",
        "failures",
        "alarms",
        "report",
        "jobs",
        "flows",
        "folders",
        "connections",
        "pieces",
    ),
    *("tables", "mcp-servers", "credentials", "invitations"),
)
#: Where people without a team add the credential that they launch with.
_OWN_CREDENTIAL = "credentials"
_RUNS = ("runs", "failures", "report")


class Preset(TextChoices):
    LAUNCHING = "launching", _("Launching: their flows, launches and credential")
    RUNS = "runs", _("Launching and runs: runs, failures and the week report too")
    EVERYTHING = "everything", _("Everything, read-only")
    CHOSEN = "chosen", _("All but the pages chosen below")


def hidden(preset: Preset) -> list[str]:
    """The pages that a preset hides, sorted as in the menu; none for CHOSEN, which hides what a manager chose."""
    if preset in (Preset.EVERYTHING, Preset.CHOSEN):
        return []
    shown = {_OWN_CREDENTIAL, *(_RUNS if preset == Preset.RUNS else ())}
    return [page for page in PAGES if page not in shown]


def preset(pages: Collection[str]) -> Preset:
    """The preset that hides exactly these pages, else CHOSEN."""
    return next((each for each in Preset if each != Preset.CHOSEN and set(hidden(each)) == set(pages)), Preset.CHOSEN)
