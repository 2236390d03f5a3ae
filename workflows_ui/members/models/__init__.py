"""Models of workspaces, members, teams, invitations and launch rights."""

from workflows_ui.members.models.invitation import ColleagueInvitation, InvitationRequest
from workflows_ui.members.models.launch_right import LaunchRight
from workflows_ui.members.models.team import TeamOwner, TeamProfile
from workflows_ui.members.models.workspace import AccessRequest, Colour, Flavour, Member, Role, Workspace

__all__ = [
    "AccessRequest",
    "ColleagueInvitation",
    "Colour",
    "Flavour",
    "InvitationRequest",
    "LaunchRight",
    "Member",
    "Role",
    "TeamOwner",
    "TeamProfile",
    "Workspace",
]
