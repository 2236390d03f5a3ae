"""What the console keeps in its own database. Remote objects have no rows here."""

from workflows_ui.models.audit import BEGUN, AppendOnly, AuditChain, AuditCheckpoint, AuditEvent
from workflows_ui.models.capability import Ability, Capability, Inspection
from workflows_ui.models.colleague_invitation import ColleagueInvitation
from workflows_ui.models.credential import (
    KEPT_IN_RUNS,
    SIGNED_IN_KINDS,
    Credential,
    CredentialReminder,
    CredentialSecret,
    Health,
    Kind,
)
from workflows_ui.models.identity import Identity
from workflows_ui.models.job import JOB_OPEN, JOB_OVER, ItemState, Job, JobItem, JobKind, JobPart, JobState
from workflows_ui.models.launch import ENDED, UNDER_WAY, UNSENT, WENT_WRONG, Follow, Launch, State
from workflows_ui.models.launch_form import LaunchForm, LaunchFormVersion
from workflows_ui.models.launch_inputs import LaunchFile, LaunchInput, SavedInputs
from workflows_ui.models.launch_right import LaunchRight
from workflows_ui.models.notice import Favourite, Lookout, Notice, NoticeKind, Visit, Watch, WatchKind
from workflows_ui.models.team import TeamOwner, TeamProfile
from workflows_ui.models.user import User
from workflows_ui.models.workspace import AccessRequest, Colour, Flavour, Member, Role, Workspace

__all__ = [
    "BEGUN",
    "ENDED",
    "JOB_OPEN",
    "JOB_OVER",
    "KEPT_IN_RUNS",
    "SIGNED_IN_KINDS",
    "UNDER_WAY",
    "UNSENT",
    "WENT_WRONG",
    "Ability",
    "AccessRequest",
    "AppendOnly",
    "AuditChain",
    "AuditCheckpoint",
    "AuditEvent",
    "Capability",
    "ColleagueInvitation",
    "Colour",
    "Credential",
    "CredentialReminder",
    "CredentialSecret",
    "Favourite",
    "Flavour",
    "Follow",
    "Health",
    "Identity",
    "Inspection",
    "ItemState",
    "Job",
    "JobItem",
    "JobKind",
    "JobPart",
    "JobState",
    "Kind",
    "Launch",
    "LaunchFile",
    "LaunchForm",
    "LaunchFormVersion",
    "LaunchInput",
    "LaunchRight",
    "Lookout",
    "Member",
    "Notice",
    "NoticeKind",
    "Role",
    "SavedInputs",
    "State",
    "TeamOwner",
    "TeamProfile",
    "User",
    "Visit",
    "Watch",
    "WatchKind",
    "Workspace",
]
