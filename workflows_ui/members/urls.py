"""URLs of members, teams, people, invitations and launch rights."""

from django.urls import path

from workflows_ui.members.views import invitations, launch_rights, members, people, permissions, teams

urlpatterns = [
    path("w/<slug:slug>/members/", members.listing, name="members"),
    path("w/<slug:slug>/members/add/", members.add, name="member_add"),
    path("w/<slug:slug>/members/<int:member_id>/role/", members.change_role, name="member_role"),
    path("w/<slug:slug>/members/<int:member_id>/remove/", members.remove, name="member_remove"),
    path("w/<slug:slug>/members/requests/<int:request_id>/grant/", members.grant, name="access_grant"),
    path("w/<slug:slug>/members/requests/<int:request_id>/refuse/", members.refuse, name="access_refuse"),
    path("w/<slug:slug>/members/invite/", invitations.invite, name="invite"),
    path("w/<slug:slug>/members/invitations/<int:invitation_id>/", invitations.invitation, name="invitation"),
    path("w/<slug:slug>/members/invitations/<int:invitation_id>/renew/", invitations.renew, name="invitation_renew"),
    path("w/<slug:slug>/members/invitations/<int:invitation_id>/revoke/", invitations.revoke, name="invitation_revoke"),
    path("w/<slug:slug>/members/invitations/<int:invitation_id>/decide/", invitations.decide, name="invitation_decide"),
    path("join/<str:token>/", invitations.join, name="join"),
    path("teams/", teams.listing, name="teams"),
    path("teams/new/", teams.edit, name="team_create"),
    path("teams/<int:team_id>/", teams.team, name="team"),
    path("teams/<int:team_id>/change/", teams.edit, name="team_change"),
    path("teams/<int:team_id>/delete/", teams.delete, name="team_delete"),
    path("teams/<int:team_id>/add/", teams.add, name="team_add"),
    path("teams/<int:team_id>/people/<int:person_id>/remove/", teams.take_out, name="team_take_out"),
    path("teams/<int:team_id>/people/<int:person_id>/owner/", teams.owner, name="team_owner"),
    path("people/", people.listing, name="people"),
    path("people/suggest/", people.suggest, name="people_suggest"),
    path("people/<int:person_id>/", people.person, name="person"),
    path("people/<int:person_id>/deactivate/", people.deactivate, name="person_deactivate"),
    path("people/<int:person_id>/reactivate/", people.reactivate, name="person_reactivate"),
    path("people/<int:person_id>/sessions/", people.end_sessions, name="person_end_sessions"),
    path("request-access/", members.ask, name="access_ask"),
    path("waiting/", members.waiting, name="waiting"),
    path("waiting/<int:request_id>/withdraw/", members.withdraw, name="access_withdraw"),
    path("w/<slug:slug>/people/<int:person_id>/permissions/", permissions.permissions, name="permissions"),
    path("w/<slug:slug>/settings/", members.settings, name="workspace_settings"),
    path("w/<slug:slug>/launch-rights/", launch_rights.listing, name="launch_rights"),
    path("w/<slug:slug>/launch-rights/give/", launch_rights.choose, name="launch_right_choose"),
    path("w/<slug:slug>/launch-rights/<int:right_id>/change/", launch_rights.change, name="launch_right_change"),
    path("w/<slug:slug>/launch-rights/<int:right_id>/revoke/", launch_rights.revoke, name="launch_right_revoke"),
    path("w/<slug:slug>/flows/<str:id>/launch-rights/", launch_rights.flow_rights, name="flow_launch_rights"),
]
