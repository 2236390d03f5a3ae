"""The type of requests in views, and the typed values of a rejected POST."""

import re

from django.http import HttpRequest
from django_htmx.middleware import HtmxDetails

from workflows_ui.accounts.models import User
from workflows_ui.core.secret_names import names_secret
from workflows_ui.members.services.access import Access

_SECRET = re.compile(r"secret|password|token|key|code|ticket", re.IGNORECASE)
_LONGEST = 200_000
_MOST = 100
#: The hidden field in which a form lists the names of its secret fields.
SECRETS = "_secret"


#: The field in which the form of a confirmation says that something is to end.
SURE = "sure"


class ConsoleRequest(HttpRequest):
    """A request in a view guarded by web.access, with a signed-in user. `access` is set by `member` only."""

    user: User
    access: Access
    request_id: str
    htmx: HtmxDetails


def is_sure(request: HttpRequest) -> bool:
    """Whether this is the submitted form of a confirmation. An empty POST is not, so it ends nothing."""
    return request.method == "POST" and request.POST.get(SURE) == "yes"


def posted_values(request: HttpRequest) -> list[dict[str, str]]:
    """The non-empty posted fields, without secrets (which no page ever shows) and internal fields."""
    fields, secrets = [], set(request.POST.getlist(SECRETS))
    for name, texts in list(request.POST.lists())[:_MOST]:
        if name in secrets or _SECRET.search(name) or names_secret(name) or name == "next" or name.startswith("_"):
            continue
        text = "\n".join(str(text) for text in texts)
        if text.strip():
            fields.append({"name": name, "text": text[:_LONGEST]})
    return fields
