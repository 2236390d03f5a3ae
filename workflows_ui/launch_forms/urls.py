"""URLs of launch forms."""

from django.urls import path

from workflows_ui.launch_forms.editor.views import builder, field, propose, versions
from workflows_ui.launch_forms.views import earlier, launch, saved_inputs

FORM = "w/<slug:slug>/flows/<str:id>/form/"

urlpatterns = [
    path(FORM, builder.builder, name="form_builder"),
    path(f"{FORM}change/", builder.change, name="form_change"),
    path(f"{FORM}words/", builder.texts, name="form_words"),
    path(f"{FORM}preview/", builder.preview, name="form_preview"),
    path(f"{FORM}propose/", propose.propose, name="form_propose"),
    path(f"{FORM}fields/", field.new, name="form_field_new"),
    path(f"{FORM}fields/<str:field>/", field.field, name="form_field"),
    path(f"{FORM}export/", versions.export, name="form_export"),
    path(f"{FORM}import/", versions.import_file, name="form_import"),
    path(f"{FORM}publish/", versions.publish, name="form_publish"),
    path(f"{FORM}unpublish/", versions.unpublish, name="form_unpublish"),
    path(f"{FORM}discard/", versions.drop, name="form_drop"),
    path(f"{FORM}difference/", versions.difference, name="form_difference"),
    path(f"{FORM}versions/<int:number>/restore/", versions.restore, name="form_restore"),
    path("w/<slug:slug>/launches/<str:id>/again/", launch.launch_again, name="launch_again"),
    path("w/<slug:slug>/flows/<str:id>/launch/", launch.flow_launch, name="flow_launch"),
    path("w/<slug:slug>/flows/<str:id>/launch/earlier/", earlier.earlier, name="flow_earlier"),
    path("w/<slug:slug>/flows/<str:id>/inputs/<str:inputs>/", saved_inputs.saved, name="saved_inputs"),
]
