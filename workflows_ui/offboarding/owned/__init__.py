"""What people own in each feature, in the order of the page for handing over."""

from workflows_ui.offboarding.owned.accounts import SESSION
from workflows_ui.offboarding.owned.credentials import CREDENTIAL, TEAM_CREDENTIAL
from workflows_ui.offboarding.owned.failures import FAILURE
from workflows_ui.offboarding.owned.jobs import JOB
from workflows_ui.offboarding.owned.launch_forms import FORM, INPUTS
from workflows_ui.offboarding.owned.launches import LAUNCH_UNDER_WAY, WAITING_LAUNCH
from workflows_ui.offboarding.owned.members import GIVEN_RIGHT, INVITATION, RIGHT, ROLE, TEAM, TEAM_OWNER
from workflows_ui.offboarding.owned.notifications import NOTICE, WATCH

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
