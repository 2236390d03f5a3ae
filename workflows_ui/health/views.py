"""Health checks and metrics for monitoring. Not translated, no sign-in.

/healthz returns 200 while the process serves. /readyz returns 200 if database, broker and worker are available, else 503, with JSON that
states only which part is down. Without its cache the console is only slower: it is then "degraded", and ready.
/metrics returns Prometheus' text format to holders of METRICS_TOKEN, without which the page does not exist.
"""

import secrets

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from django_prometheus.exports import ExportToDjangoView

from workflows_ui.health import services


@require_safe
@never_cache
def healthz(request: HttpRequest) -> HttpResponse:
    return JsonResponse({"status": "ok"})


@require_safe
@never_cache
def readyz(request: HttpRequest) -> HttpResponse:
    """200 if all required parts work, else 503; a part is "ok" or "down", `status` may also be "degraded"."""
    parts = {name: "ok" if works else "down" for name, works in services.working().items()}
    down = {name for name, state in parts.items() if state == "down"}
    status = ("degraded" if down <= services.OPTIONAL else "down") if down else "ok"
    response = JsonResponse({"status": status, **parts}, status=503 if status == "down" else 200)
    # The failing part is logged already; Django would add a less specific error.
    response._has_been_logged = True  # type: ignore[attr-defined]  # noqa: SLF001
    return response


@require_safe
@never_cache
def metrics(request: HttpRequest) -> HttpResponse:
    """Prometheus' text format. 404 without access, which does not reveal that the page exists."""
    if not _may_measure(request):
        raise Http404
    answer: HttpResponse = ExportToDjangoView(request)
    return answer


def _may_measure(request: HttpRequest) -> bool:
    # The client's address proves nothing: a proxy on this machine makes every client seem local, and need not add a header.
    kind, _, token = request.headers.get("Authorization", "").partition(" ")
    if not settings.METRICS_TOKEN or kind.lower() != "bearer":
        return False
    return secrets.compare_digest(token.strip().encode(), settings.METRICS_TOKEN.encode())
