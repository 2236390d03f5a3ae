"""URLs of rules for failures."""

from django.urls import path

from workflows_ui.failure_rules import views

urlpatterns = [
    path("w/<slug:slug>/on-failure/", views.listing, name="failure_rules"),
    path("w/<slug:slug>/on-failure/add/<slug:does>/", views.add, name="failure_rule_add"),
    path("w/<slug:slug>/on-failure/<slug:rule_id>/", views.rule, name="failure_rule"),
    path("w/<slug:slug>/on-failure/<slug:rule_id>/pause/", views.pause, name="failure_rule_pause"),
    path("w/<slug:slug>/on-failure/<slug:rule_id>/resume/", views.resume, name="failure_rule_resume"),
    path("w/<slug:slug>/on-failure/<slug:rule_id>/remove/", views.remove, name="failure_rule_remove"),
]
