"""The builder's page of a flow's launch form: its fields in order, note and button, differences from the flow, and a preview."""

from collections.abc import Mapping
from dataclasses import replace

from django.contrib import messages
from django.http import HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST, require_safe

from workflows_ui.form_schema import checking
from workflows_ui.form_schema.document import BadForm, FieldKind, Form
from workflows_ui.launch_forms import choices as launch_choices, form_fit, messages as form_messages
from workflows_ui.launch_forms.editor.forms import TextsForm
from workflows_ui.launch_forms.editor.views.page import EditorPage, builder_page, field_row, flow_name, stale_message
from workflows_ui.launch_forms.forms import posted
from workflows_ui.launch_forms.forms.fields import FormView
from workflows_ui.launch_forms.services import launch_forms
from workflows_ui.web import markdown, responses
from workflows_ui.web.requests import ConsoleRequest

#: Number of versions in the page.
_VERSIONS = 20
#: Names of buttons. (The name `remove` would hide the form element's method in the browser.)
ACTIONS = ("move-up", "move-down", "move-to", "take-out", "undo")


@require_safe
@builder_page()
def builder(page: EditorPage) -> HttpResponse:
    """The form with its actions; `?moved=` names a field that was just moved."""
    return _page(page)


@require_POST
@builder_page(wanted=True)
def change(page: EditorPage) -> HttpResponse:
    """Move or remove a field, or undo the last change. The button's name is the action, its value the field."""
    form, action = page.form or Form(), next((name for name in ACTIONS if name in page.request.POST), "")
    name = page.request.POST.get(action, "")
    field = form.field(name)
    try:
        if action == "undo":
            launch_forms.undo(*page.target, lock=page.lock or 0)
            return page.redirect(_("The last change is undone."))
        if field is None:
            return responses.SeeOther(page.url())
        if action == "take-out":
            blocking = [other.shown_label for other in form.fields if other.show_if and other.show_if.field == name]
            label = field.shown_label[:60]
            if blocking:
                text = _(
                    "“%(label)s” decides whether “%(other)s” is shown. Change that rule first, then remove the field."
                )
                return page.redirect(text % {"label": label, "other": blocking[0][:60]}, level=messages.WARNING)
            if name in form.named_in_effects:
                text = _(
                    "“%(label)s” is named in what this will do. Change that sentence first, then remove the field."
                )
                return page.redirect(text % {"label": label}, level=messages.WARNING)
            page.save(form.without(name).leaving_out([field.path]))
            text = _("“%(label)s” is removed from the form. “Undo” brings it back as it was.")
            return page.redirect(text % {"label": label})
        by = -1 if action == "move-up" else 1
        if action == "move-to":
            position = page.request.POST.get("position", "")  # of a dragged field, counted from 1
            by = int(position) - 1 - form.names.index(name) if position.isdecimal() and len(position) < 4 else 0
        page.save(form.moved(name, by))
    except launch_forms.Stale as stale:
        return page.redirect(stale_message(stale), level=messages.WARNING)
    except launch_forms.NothingToUndo:
        return page.redirect(_("There is nothing to undo."), level=messages.INFO)
    # A browser follows 303 with the headers of htmx, and so gets the fragment.
    return responses.SeeOther(page.url(moved=name, by=action.removeprefix("move-")))


@require_POST
@builder_page(wanted=True)
def texts(page: EditorPage) -> HttpResponse:
    """Save the texts around the fields, and whether launches are reviewed."""
    typed = TextsForm(page.request.POST)
    if not typed.is_valid() or page.form is None:
        return _page(page, typed)
    texts = {name: typed.cleaned_data[name].replace("\r\n", "\n") for name in ("note", "effects", "button")}
    try:
        page.save(replace(page.form, review=typed.cleaned_data["review"], **texts))
    except launch_forms.Stale as stale:
        return _page(page.after(stale), typed)
    except BadForm as problem:
        typed.add_error(None, str(problem))
        return _page(page, typed)
    return page.redirect(_("The instructions are saved in the draft."), anchor="#words")


def _page(page: EditorPage, typed: TextsForm | None = None) -> HttpResponse:
    form, context = page.form or Form(), dict[str, object]()
    visible = posted.launchable(form)
    # Without a call to the engine: live choices as far as they were offered lately.
    options = launch_choices.available(page.request.access, page.flow_id, visible, load=launch_choices.offered)
    shown = checking.initial(visible, zone=timezone.get_current_timezone())
    if not responses.is_fragment(page.request):
        known = page.flow_or_none()
        context["unreachable"] = known is None
        if known is not None:
            session, flow = known
            context |= {"name": flow_name(flow)} if flow_name(flow) else {}
            context["fits"] = form_fit.lines(session, flow, form) if page.form else []
    return page.render(
        "builder",
        wrong=typed is not None,
        fragments=("fields",),
        lines=[
            field_row(field, badges=form_messages.badges(field), rule=form_messages.rule_summary(field, form))
            for field in form.fields
        ],
        moved=_moved(page.request, form),
        words=typed or TextsForm(initial={name: getattr(form, name) for name in TextsForm.base_fields}),
        placeholders=[field for field in form.fields if field.kind not in (FieldKind.SECRET, FieldKind.FILE)],
        effects=form_messages.effects(form),
        **_preview_context(page, FormView(visible, shown, options=options)),
        versions=[*launch_forms.versions(page.row)[:_VERSIONS]] if page.row else [],
        **context,
    )


def _preview_context(page: EditorPage, form_view: FormView) -> dict[str, object]:
    """The form as launchers see it."""
    return {
        "form_view": form_view,
        "note": markdown.html(form_view.form.note),
        "button": form_view.form.button or _("Launch"),
        "preview_url": page.url("form_preview"),
    }


def _moved(request: ConsoleRequest, form: Form) -> dict[str, object] | None:
    """The new position of a field that was just moved, for the announcement and the focus."""
    field = form.field(request.GET.get("moved", ""))
    if field is None:
        return None
    params = {"label": field.shown_label[:60], "number": form.names.index(field.name) + 1, "all": len(form.fields)}
    return {
        "name": field.name,
        "by": "up" if request.GET.get("by") == "up" else "down",
        "words": _("“%(label)s” is now number %(number)d of %(all)d.") % params,
    }


@sensitive_post_parameters()
@builder_page(wanted=True)
def preview(page: EditorPage) -> HttpResponse:
    """Preview the draft, else the published form. POST checks it, without saving or sending anything."""
    request, form = page.request, posted.launchable(page.form or Form())
    options = launch_choices.available(request.access, page.flow_id, form, load=launch_choices.load_choices)
    shown = checking.initial(form, zone=timezone.get_current_timezone())
    errors: Mapping[str, str] = {}
    retype: set[str] = set()
    trial = ""
    if page.posted:
        data = posted.typed(request, form, options)
        if not posted.changes_lines(request):
            tried = posted.check(request, form, data, options)
            errors, trial = tried.errors, "" if tried.errors else tried.as_sent
        shown, retype = checking.typed(form, data), posted.typed_secrets(form, data)
    return page.render(
        "preview",
        wrong=bool(errors),
        fragments=(),
        trial=trial,
        whole_error=errors.get("", ""),
        **_preview_context(page, FormView(form, shown, errors=errors, options=options, retype=retype)),
    )
