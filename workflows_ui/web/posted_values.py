"""The typed values of a rejected POST, which the error page shows."""

import re

from django.http import HttpRequest

from workflows_ui.core.secret_names import names_secret

_SECRET = re.compile(r"secret|password|token|key|code|ticket", re.IGNORECASE)
_LONGEST = 200_000
_MOST = 100
#: The hidden field in which a form lists the names of its secret fields.
SECRETS = "_secret"


def values(request: HttpRequest) -> list[dict[str, str]]:
    """Return the non-empty posted fields, without secrets (which no page ever shows) and internal fields."""
    fields, secrets = [], set(request.POST.getlist(SECRETS))
    for name, texts in list(request.POST.lists())[:_MOST]:
        if name in secrets or _SECRET.search(name) or names_secret(name) or name == "next" or name.startswith("_"):
            continue
        text = "\n".join(str(text) for text in texts)
        if text.strip():
            fields.append({"name": name, "text": text[:_LONGEST]})
    return fields
