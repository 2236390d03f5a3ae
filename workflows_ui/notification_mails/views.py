"""The page behind the link of a mail that ends such mails, and the one click of mail programs."""

from django.http import HttpRequest, HttpResponse
from django.utils import translation
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from workflows_ui.notification_mails import unsubscribe as unsubscribing
from workflows_ui.web import responses


@csrf_exempt
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def unsubscribe(request: HttpRequest, token: str) -> HttpResponse:
    """GET shows what the link turns off, with a button. POST turns it off, or on again with `undo`.

    The only view without a CSRF token, which a mail program that does it by one click (RFC 8058) cannot have. The signature of the
    address is the proof instead: it names the person and what is turned off, whatever session, cookies or fields the request has.
    """
    found = unsubscribing.read(token)
    if found is None:
        return responses.page(request, "notification_mails/invalid.html", {"plain": True}, status=404)
    if request.method == "POST":
        if "undo" in request.POST:
            found.resume()
        else:
            found.stop()
    language = found.person.mail_language
    with translation.override(language):
        context = {"unsubscription": found, "plain": True}
        response = responses.page(request, "notification_mails/unsubscribe.html", context)
    response["Content-Language"] = language
    return response
