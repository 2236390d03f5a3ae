"""URLs of offboarding."""

from django.urls import path

from workflows_ui.offboarding import views

urlpatterns = [
    path("people/<int:person_id>/leaving/", views.person_belongings, name="person_leaving"),
    path("w/<slug:slug>/people/<int:person_id>/leaving/", views.member_belongings, name="member_leaving"),
    path("accounts/leaving/", views.own_belongings, name="leaving"),
]
