"""URLs of the home pages."""

from django.urls import path

from workflows_ui.home import views

urlpatterns = [
    path("", views.home, name="home"),
    path("w/<slug:slug>/", views.workspace, name="workspace"),
    path("w/<slug:slug>/home/arrange/", views.arrange, name="home_arrange"),
    path("w/<slug:slug>/flows/<str:id>/star/", views.star, name="flow_star"),
]
