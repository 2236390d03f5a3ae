"""URLs of launches."""

from django.urls import path

from workflows_ui.launches.views import launch_list, launches, plots, story

urlpatterns = [
    path("w/<slug:slug>/launches/days/", plots.days, name="launch_days"),
    path("w/<slug:slug>/launches/durations/", plots.durations, name="launch_durations"),
    path("w/<slug:slug>/launches/<str:id>/story/", story.story, name="launch_story"),
    path("w/<slug:slug>/launches/", launch_list.listing, name="launches"),
    path("w/<slug:slug>/launches/export/<str:kind>/", launch_list.file, name="launches_file"),
    path("w/<slug:slug>/launches/<str:id>/", launches.launch, name="launch"),
    path("w/<slug:slug>/launches/<str:id>/file/<int:number>/", launches.file, name="launch_file"),
    path("w/<slug:slug>/launches/<str:id>/withdraw/", launches.withdraw, name="launch_withdraw"),
    path("w/<slug:slug>/launches/<str:id>/settle/", launches.settle, name="launch_settle"),
    path("w/<slug:slug>/launches/<str:id>/retry/", launches.run_action, {"action": "retry"}, name="launch_retry"),
    path("w/<slug:slug>/launches/<str:id>/cancel/", launches.run_action, {"action": "cancel"}, name="launch_cancel"),
]
