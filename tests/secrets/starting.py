"""What a console says whose database, cache, broker and mail server do not answer: pages, probes, commands, tracebacks.

`python -m tests.secrets.starting`, in an environment of production. Everything goes to standard output and standard error.
"""

import contextlib
import sys
import traceback
from collections.abc import Callable

import django


def tried(what: Callable[[], object]) -> None:
    """Does it; says what it gives or how it fails, as a process would that ends by it."""
    try:
        sys.stdout.write(f"{what()!r}\n")
    except Exception:  # noqa: BLE001  (whatever it is, it would be in a log)
        traceback.print_exc()


def main() -> None:
    """Asks for everything that speaks of the settings or of what is behind them."""
    django.setup()
    from django.conf import settings
    from django.core.mail import send_mail
    from django.core.management import call_command
    from django.test import Client
    from django.test.utils import setup_test_environment

    from console.celery import app
    from workflows_ui import tasks
    from workflows_ui.launches import tasks as launch_tasks

    setup_test_environment(debug=False)
    # Static files were not collected here.
    settings.STORAGES["staticfiles"]["BACKEND"] = "django.contrib.staticfiles.storage.StaticFilesStorage"
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    browser = Client(
        raise_request_exception=False, headers={"host": "console.example.com", "x-forwarded-proto": "https"}
    )
    for url in ("/healthz", "/readyz", "/metrics", "/accounts/login/", "/", "/nothing/", "/accounts/single-sign-on/"):
        answer = browser.get(url, secure=True)
        sys.stdout.write(f"{url} {answer.status_code} {answer.headers!r}\n{answer.content.decode()}\n")
    refused = browser.get("/metrics", headers={"authorization": "Bearer wrong"}, secure=True)
    sys.stdout.write(refused.content.decode())
    tried(lambda: launch_tasks.enqueue("a-launch"))
    tried(lambda: tasks.tick())
    tried(lambda: app.connection().as_uri())
    tried(lambda: app.connection().ensure_connection(max_retries=1, timeout=2))
    tried(lambda: send_mail("Subject", "Body", None, ["a@example.com"]))
    for command in ("check", "verify_audit", "rotate_credential_keys", "first_user"):
        tried(lambda command=command: call_command(command))  # type: ignore[misc]


if __name__ == "__main__":
    with contextlib.suppress(SystemExit):
        main()
