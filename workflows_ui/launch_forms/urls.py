"""URLs of launch forms."""

from django.urls import path

from workflows_ui.launch_forms.editor.views import builder, field, files, preview, propose, versions
from workflows_ui.launch_forms.views import launch, saved_inputs

urlpatterns = [
    path("w/<slug:slug>/flows/<str:id>/form/", builder.builder, name="form_builder"),
    path("w/<slug:slug>/flows/<str:id>/form/change/", builder.change, name="form_change"),
    path("w/<slug:slug>/flows/<str:id>/form/words/", builder.texts, name="form_words"),
    path(files.HERE + "export/", files.export, name="form_export"),
    path(files.HERE + "import/", files.import_file, name="form_import"),
    path("w/<slug:slug>/flows/<str:id>/form/preview/", preview.preview, name="form_preview"),
    path("w/<slug:slug>/flows/<str:id>/form/propose/", propose.propose, name="form_propose"),
    path(versions.HERE + "publish/", versions.publish, name="form_publish"),
    path(versions.HERE + "unpublish/", versions.unpublish, name="form_unpublish"),
    path(versions.HERE + "discard/", versions.drop, name="form_drop"),
    path(versions.HERE + "difference/", versions.difference, name="form_difference"),
    path(versions.HERE + "versions/<int:number>/restore/", versions.restore, name="form_restore"),
    path("w/<slug:slug>/flows/<str:id>/form/fields/", field.new, name="form_field_new"),
    path("w/<slug:slug>/flows/<str:id>/form/fields/<str:field>/", field.field, name="form_field"),
    path("w/<slug:slug>/launches/<str:id>/again/", launch.launch_again, name="launch_again"),
    path("w/<slug:slug>/flows/<str:id>/launch/", launch.flow_launch, name="flow_launch"),
    path("w/<slug:slug>/flows/<str:id>/inputs/<str:inputs>/", saved_inputs.saved, name="saved_inputs"),
]
