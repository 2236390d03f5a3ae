"""What people own, as each feature declares it, in the order of the page for handing over."""

from workflows_ui.accounts.owned import SESSION
from workflows_ui.credentials.owned import CREDENTIAL, TEAM_CREDENTIAL
from workflows_ui.failures.owned import FAILURE
from workflows_ui.jobs.owned import JOB
from workflows_ui.launch_forms.owned import FORM, INPUTS
from workflows_ui.launches.owned import LAUNCH_UNDER_WAY, WAITING_LAUNCH
from workflows_ui.members.owned import GIVEN_RIGHT, INVITATION, RIGHT, ROLE, TEAM, TEAM_OWNER
from workflows_ui.notifications.owned import NOTICE, WATCH

OWNED = (
    ROLE,
    CREDENTIAL,
    TEAM_CREDENTIAL,
    FORM,
    RIGHT,
    GIVEN_RIGHT,
    INVITATION,
    INPUTS,
    WATCH,
    FAILURE,
    NOTICE,
    WAITING_LAUNCH,
    LAUNCH_UNDER_WAY,
    JOB,
    TEAM_OWNER,
    TEAM,
    SESSION,
)
