"""Django's settings. Everything comes from environment variables; production guesses nothing.

A missing or invalid value raises ImproperlyConfigured with the name of the variable. docs/settings.md and `.env.example` list all of
them; a test compares the three.
"""

from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import environ
from cryptography.fernet import Fernet
from csp.constants import NONCE, NONE, SELF
from django.core.exceptions import ImproperlyConfigured

from console import environment, logs

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()
read = environment.Reader(env)

DEBUG = read.boolean("DEBUG", default=False)
#: The folder of everything that is kept in files.
VAR_DIR = read.folder("VAR_DIR", default=BASE_DIR / "var")

# --- Secrets -------------------------------------------------------------------------------------
SECRET_KEY = read.secret("SECRET_KEY", minimum=32)
#: Fernet keys: the first encrypts, all of them decrypt.
CREDENTIAL_KEYS = read.keys("CREDENTIAL_KEYS", check=Fernet)
#: The first signs the audit log's hash chain, all of them verify it.
AUDIT_KEY = read.secrets("AUDIT_KEY", minimum=32)
if SECRET_KEY in AUDIT_KEY:
    raise ImproperlyConfigured("AUDIT_KEY must be another secret than SECRET_KEY.")

# --- Web server and URL --------------------------------------------------------------------------
PORT = read.integer("PORT", default=8000, low=1, high=65535)
#: The IP address at which the web server listens; 0.0.0.0 is all of them.
BIND = read.address("BIND", default="127.0.0.1")
#: Web server processes, and concurrent requests of each.
WEB_PROCESSES = read.integer("WEB_PROCESSES", default=2, low=1, high=64)
WEB_THREADS = read.integer("WEB_THREADS", default=8, low=1, high=128)
#: Open connections of each process; beyond that, the one that has waited longest for its client is closed.
WEB_CONNECTIONS = read.integer("WEB_CONNECTIONS", default=1000, low=10, high=50_000)
#: Seconds for sending the first line and the headers of a request, for its body, for reading the response, and without any data.
WEB_HEAD_SECONDS = read.integer("WEB_HEAD_SECONDS", default=20, low=1, high=3600)
WEB_BODY_SECONDS = read.integer("WEB_BODY_SECONDS", default=300, low=1, high=3600)
#: Seconds without any data of a body whose end has not arrived.
WEB_BODY_IDLE_SECONDS = read.integer("WEB_BODY_IDLE_SECONDS", default=30, low=1, high=3600)
#: Bodies whose end has not arrived, in each process: how many at once of an address and altogether, and how large they may be together
#: with those that wait for a thread. Beyond that, the slowest is refused.
WEB_BODIES_PER_ADDRESS = read.integer("WEB_BODIES_PER_ADDRESS", default=30, low=1, high=50_000)
WEB_BODIES = read.integer("WEB_BODIES", default=300, low=1, high=50_000)
WEB_BODY_BYTES_PER_ADDRESS = read.integer("WEB_BODY_MB_PER_ADDRESS", default=200, low=1, high=100_000) * 1024 * 1024
WEB_BODY_BYTES = read.integer("WEB_BODY_MB", default=1000, low=1, high=100_000) * 1024 * 1024
WEB_ANSWER_SECONDS = read.integer("WEB_ANSWER_SECONDS", default=900, low=1, high=86_400)
WEB_IDLE_SECONDS = read.integer("WEB_IDLE_SECONDS", default=60, low=1, high=3600)
BASE_URL = read.url("BASE_URL", default=f"http://127.0.0.1:{PORT}" if DEBUG else None).rstrip("/")
ALLOWED_HOSTS = read.texts("ALLOWED_HOSTS", default="127.0.0.1,localhost,[::1]" if DEBUG else "")
if not ALLOWED_HOSTS:
    raise ImproperlyConfigured("ALLOWED_HOSTS is missing: list the host names of the console, separated by commas.")
if "*" in ALLOWED_HOSTS and not DEBUG:
    raise ImproperlyConfigured("ALLOWED_HOSTS may not be '*': list the host names of the console.")
CSRF_TRUSTED_ORIGINS = ["{0.scheme}://{0.netloc}".format(urlsplit(BASE_URL))]
#: The number of reverse proxies: so many entries of X-Forwarded-For are trusted, counted from the right.
TRUSTED_PROXIES = read.integer("TRUSTED_PROXIES", default=0, low=0, high=10)
HTTPS = BASE_URL.startswith("https://")
ALLOW_HTTP = read.boolean("ALLOW_HTTP", default=DEBUG)
if not HTTPS and not ALLOW_HTTP:
    raise ImproperlyConfigured(
        "BASE_URL must start with https:// in production (or set ALLOW_HTTP=true, on a closed network only)."
    )

# --- Application ---------------------------------------------------------------------------------
INSTALLED_APPS = [
    "workflows_ui",
    # Without autodiscovery: web/administration.py creates the site.
    "django.contrib.admin.apps.SimpleAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "csp",
    "crispy_forms",
    "crispy_bootstrap5",
    "django_htmx",
    "django_prometheus",
    # The loader that finds partials is among those of TEMPLATES.
    "template_partials.apps.SimpleAppConfig",
]
MIDDLEWARE = [
    "workflows_ui.web.middleware.whole_stack",
    "django_prometheus.middleware.PrometheusBeforeMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "workflows_ui.web.middleware.SessionPages",
    "workflows_ui.web.middleware.Compression",
    "workflows_ui.web.middleware.SafeHeaders",
    "workflows_ui.web.middleware.RequestContext",
    "django_htmx.middleware.HtmxMiddleware",
    "workflows_ui.web.middleware.CleanCookies",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "workflows_ui.web.middleware.Preferences",
    "django.contrib.messages.middleware.MessageMiddleware",
    "workflows_ui.web.middleware.ForwardedHeaders",
    # Before anything that reads a body.
    "workflows_ui.web.middleware.BodyLimit",
    "workflows_ui.web.session_limits.SessionLimits",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "workflows_ui.web.middleware.KnownMethods",
    "allauth.account.middleware.AccountMiddleware",
    "workflows_ui.web.middleware.EngineErrors",
    "django_prometheus.middleware.PrometheusAfterMiddleware",
]
ROOT_URLCONF = "console.urls"
WSGI_APPLICATION = "console.wsgi.application"
TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "workflows_ui.web.navigation.frame",
            ],
            "loaders": [
                (
                    "template_partials.loader.Loader",
                    [
                        (
                            "django.template.loaders.cached.Loader",
                            [
                                "workflows_ui.web.template_loader.Loader",
                                "django.template.loaders.app_directories.Loader",
                            ],
                        )
                    ],
                )
            ],
            "builtins": [
                "template_partials.templatetags.partials",
                "django.templatetags.i18n",
                "django.templatetags.static",
                "workflows_ui.web.templatetags.console",
                "workflows_ui.web.templatetags.repeated",
                "workflows_ui.audit.templatetags.history",
                "workflows_ui.notes.templatetags.notes",
                "workflows_ui.lists.templatetags.lists",
                "workflows_ui.flow_editing.templatetags.flow_editing",
            ],
        },
    }
]
FORM_RENDERER = "workflows_ui.web.form_rendering.Renderer"
CRISPY_ALLOWED_TEMPLATE_PACKS = CRISPY_TEMPLATE_PACK = "bootstrap5"

# --- Data ----------------------------------------------------------------------------------------
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
DATABASES = {
    "default": read.database("DATABASE_URL", default=f"sqlite:///{VAR_DIR / 'console.sqlite3'}" if DEBUG else None)
}
#: The prefix of every key in Redis, so that several consoles can share one.
REDIS_PREFIX = read.text("REDIS_PREFIX", default="")
#: core/caching.py says what belongs in which.
CACHES = {
    "default": {"BACKEND": "workflows_ui.core.caching.DatabaseCache"},
    "answers": read.cache(
        "CACHE_URL", default=f"filecache://{VAR_DIR / 'cache'}" if DEBUG else None, prefix=REDIS_PREFIX
    ),
}
SESSION_ENGINE = "workflows_ui.accounts.session_engine"

# --- People --------------------------------------------------------------------------------------
AUTH_USER_MODEL = "workflows_ui.User"
AUTHENTICATION_BACKENDS = ["workflows_ui.accounts.services.passwords.Backend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}", **options}
    for name, options in [
        ("UserAttributeSimilarityValidator", {}),
        ("MinimumLengthValidator", {"OPTIONS": {"min_length": 12}}),
        ("CommonPasswordValidator", {}),
        ("NumericPasswordValidator", {}),
    ]
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
ACCOUNT_ADAPTER = "workflows_ui.accounts.views.accounts.AccountAdapter"
ACCOUNT_FORMS = {
    "login": "workflows_ui.accounts.forms.SignInForm",
    "change_password": "workflows_ui.accounts.forms.ChangePasswordForm",
    "set_password": "workflows_ui.accounts.forms.SetPasswordForm",
    "reset_password": "workflows_ui.accounts.forms.ResetPasswordForm",
    "reset_password_from_key": "workflows_ui.accounts.forms.NewPasswordForm",
    "reauthenticate": "workflows_ui.accounts.forms.PasswordAgainForm",
    "add_email": "workflows_ui.accounts.forms.AddressForm",
}
ACCOUNT_LOGIN_METHODS = {"username", "email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "username*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_SESSION_REMEMBER = None
ACCOUNT_LOGOUT_ON_GET = False
ALLAUTH_TRUSTED_PROXY_COUNT = TRUSTED_PROXIES
#: No mail goes to an address without an account: anyone may type anyone's address into the reset form.
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False
ACCOUNT_EMAIL_NOTIFICATIONS = True
#: Counted in the database (Django's default cache). Five wrong passwords lock a name for five minutes, whether or not it exists, except
#: for browsers in which its user signed in before: those have counts of their own (accounts/known_browsers.py).
ACCOUNT_RATE_LIMITS = {
    # Counted by the view as `sign_in`, which knows the browser.
    "login": "",
    "sign_in": "30/m/ip",
    "login_failed": "20/m/ip,5/5m/key",
    "credential_test": "20/m/user",
    "single_sign_on": "30/m/ip",
    "invite": "60/h/user",
    "access_request": "20/h/user",
}
#: One address per person: a new one replaces it once the link in the mail to it was opened.
ACCOUNT_CHANGE_EMAIL = True
#: Changing the second factor or the address needs a fresh sign-in, at most so many seconds ago.
ACCOUNT_REAUTHENTICATION_REQUIRED = True
ACCOUNT_REAUTHENTICATION_TIMEOUT = 300

# --- Single sign-on (OpenID Connect), only where an issuer is given -------------------------------
OIDC_ISSUER = read.url("OIDC_ISSUER", default="")
OIDC_CLIENT_ID = read.text("OIDC_CLIENT_ID", default="")
OIDC_CLIENT_SECRET = read.text("OIDC_CLIENT_SECRET", default="")
#: The provider's name on the sign-in button.
OIDC_NAME = read.text("OIDC_NAME", default="single sign-on")
#: People with a verified address in one of these domains, or in one of these groups, get an account at their first sign-in.
OIDC_ALLOWED_DOMAINS = read.texts("OIDC_ALLOWED_DOMAINS", default="")
OIDC_ALLOWED_GROUPS = read.texts("OIDC_ALLOWED_GROUPS", default="")
if OIDC_ISSUER and not (OIDC_CLIENT_ID and OIDC_CLIENT_SECRET):
    raise ImproperlyConfigured("OIDC_ISSUER is set: OIDC_CLIENT_ID and OIDC_CLIENT_SECRET are required with it.")
if OIDC_ISSUER and not OIDC_ISSUER.startswith("https://") and not DEBUG:
    raise ImproperlyConfigured(
        "OIDC_ISSUER must start with https://: who can change its responses can sign in as anyone."
    )

# --- Second factor -------------------------------------------------------------------------------
MFA_ADAPTER = "workflows_ui.accounts.views.second_step.SecondStepAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_WEBAUTHN_USER_VERIFICATION = "preferred"
MFA_TOTP_ISSUER = "Workflow console"
#: A phone's clock may be half a minute off. accounts/forms.py refuses a code that was used before.
MFA_TOTP_TOLERANCE = 1
#: Administrators create accounts, so an unverified address does not belong to an attacker.
MFA_ALLOW_UNVERIFIED_EMAIL = True
MFA_FORMS = {
    "authenticate": "workflows_ui.accounts.forms.CodeForm",
    "reauthenticate": "workflows_ui.accounts.forms.CodeAgainForm",
    "activate_totp": "workflows_ui.accounts.forms.AppForm",
    "authenticate_webauthn": "workflows_ui.accounts.forms.PasskeyStepForm",
    "reauthenticate_webauthn": "workflows_ui.accounts.forms.PasskeyAgainForm",
    "login_webauthn": "workflows_ui.accounts.forms.PasskeySignInForm",
    "add_webauthn": "workflows_ui.accounts.forms.PasskeyForm",
    "edit_webauthn": "workflows_ui.accounts.forms.PasskeyNameForm",
}
PASSKEYS = environment.supports_passkeys(BASE_URL)

# --- Language and time ---------------------------------------------------------------------------
LANGUAGE_CODE = read.one_of("LANGUAGE_CODE", {"en", "vi"}, default="en")
LANGUAGES = [("en", "English"), ("vi", "Tiếng Việt")]
# Django has no grouping for Vietnamese; used where numbers are formatted for people.
NUMBER_GROUPING = 3
LOCALE_PATHS = [BASE_DIR / "locale"]
TIME_ZONE = read.time_zone("TIME_ZONE", default="Asia/Ho_Chi_Minh")
USE_TZ = True

# --- Static files --------------------------------------------------------------------------------
STATIC_URL = "/static/"
STATIC_ROOT = read.folder("STATIC_ROOT", default=VAR_DIR / "static")
STATICFILES_DIRS = [BASE_DIR / "static"]
STATICFILES_FINDERS = [
    "django.contrib.staticfiles.finders.FileSystemFinder",
    "django.contrib.staticfiles.finders.AppDirectoriesFinder",
    "console.static.GeneratedFinder",
    "console.static.CodeEditorFinder",
]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "console.static.ManifestStorage"
    },
}
WHITENOISE_USE_FINDERS = WHITENOISE_AUTOREFRESH = DEBUG

# --- Mail ----------------------------------------------------------------------------------------
vars().update(read.email("EMAIL_URL", default="consolemail://" if DEBUG else "dummymail://"))
#: Seconds for a response of the mail server: a page waits for it.
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = read.text("DEFAULT_FROM_EMAIL", default="console@localhost")

# --- Browser safety ------------------------------------------------------------------------------
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF, NONCE],
        "style-src": [SELF, NONCE],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
    }
}
CSRF_FAILURE_VIEW = "workflows_ui.web.errors.csrf_failure"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
if HTTPS:
    # Browsers accept a cookie of such a name from this host only: no other host of the domain can set it.
    SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = "__Host-sessionid", "__Host-csrftoken"
SESSION_COOKIE_AGE = int(timedelta(days=14).total_seconds())
#: A session ends after so many minutes without activity; 0: only by its age.
SESSION_IDLE_MINUTES = read.integer("SESSION_IDLE_MINUTES", default=0, low=0, high=20_160)
#: Concurrent sessions of a person: one more ends the oldest; 0: no limit.
SESSIONS_PER_PERSON = read.integer("SESSIONS_PER_PERSON", default=0, low=0, high=100)
SECURE_SSL_REDIRECT = HTTPS and not DEBUG
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$", r"^metrics$"]
SECURE_HSTS_SECONDS = int(timedelta(days=365).total_seconds()) if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = HTTPS
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
if TRUSTED_PROXIES:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
# Each cell of a table in a launch form is a control: 1,000 rows of 30 columns, and the rest of the page.
DATA_UPLOAD_MAX_NUMBER_FIELDS = 35_000
#: A file larger than any form accepts is not written to disk.
FILE_UPLOAD_HANDLERS = [
    "workflows_ui.web.upload_limit.SkipLarge",
    "django.core.files.uploadhandler.MemoryFileUploadHandler",
    "django.core.files.uploadhandler.TemporaryFileUploadHandler",
]

# --- Background work -----------------------------------------------------------------------------
CELERY_BROKER_URL = read.broker("CELERY_BROKER_URL", default="fsatomic://localhost" if DEBUG else None)
CELERY_BROKER_TRANSPORT_OPTIONS = environment.transport_options(
    CELERY_BROKER_URL, VAR_DIR / "broker", prefix=REDIS_PREFIX
)
CELERY_BROKER_CONNECTION_TIMEOUT = 3
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_TASK_IGNORE_RESULT = True
# A connection to RabbitMQ is only renewed if publishing may be retried; otherwise beat would fail for ever after RabbitMQ was down once.
# A client of Redis reconnects anyway, and a retry would make a page wait twice as long for a server that hangs.
CELERY_TASK_PUBLISH_RETRY = CELERY_BROKER_URL.startswith("amqp")
CELERY_TASK_PUBLISH_RETRY_POLICY = {"max_retries": 1, "interval_start": 0, "interval_step": 0, "interval_max": 0}
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_SEND_TASK_EVENTS = False
# Not used; and on RabbitMQ two workers of one machine would conflict over the queue of commands.
CELERY_WORKER_ENABLE_REMOTE_CONTROL = False
CELERY_TIMEZONE = "UTC"
CELERY_BEAT_SCHEDULE_FILENAME = str(VAR_DIR / "beat")

# --- Engine --------------------------------------------------------------------------------------
#: Private and loopback networks in which engines may be.
ENGINE_PRIVATE_NETWORKS = read.networks("ENGINE_PRIVATE_NETWORKS", default="127.0.0.0/8,::1/128" if DEBUG else "")
#: A file of certificate authorities, for engines with a private one.
ENGINE_CA_BUNDLE = read.file("ENGINE_CA_BUNDLE")
#: The proxy through which engines are called.
ENGINE_PROXY = read.url("ENGINE_PROXY", default="")
#: Seconds before a failed read is tried again; doubled before the third attempt.
ENGINE_RETRY_SECONDS = read.number("ENGINE_RETRY_SECONDS", default=0.5, low=0, high=10)

#: Private and loopback networks in which the servers of alarm channels may be.
WEBHOOK_PRIVATE_NETWORKS = read.networks("WEBHOOK_PRIVATE_NETWORKS", default="127.0.0.0/8,::1/128" if DEBUG else "")

#: Fetch the logos of apps from the addresses that engines name, and serve them from here; without it apps have initials.
APP_LOGOS = read.boolean("APP_LOGOS", default=False)

# --- Launches ------------------------------------------------------------------------------------
#: A launch that could not be sent within this time ends as "not sent: too late".
LAUNCH_TOO_LATE = timedelta(seconds=read.integer("LAUNCH_TOO_LATE_SECONDS", default=900, low=1, high=86_400))
#: How long the run of an unclear launch is searched for. Then complete lists prove that it does not exist, or a person decides.
LAUNCH_SEARCH = timedelta(seconds=read.integer("LAUNCH_SEARCH_SECONDS", default=300, low=1, high=86_400))
#: The longest wait for a response. The engine and the gateway wait 30 s themselves (api.md 7.2).
LAUNCH_DEADLINE = timedelta(seconds=read.integer("LAUNCH_DEADLINE_SECONDS", default=45, low=1, high=600))
#: Maximum bytes of a launch: of its values as JSON, of one file unless its field has another maximum, and of all its files. The engine
#: accepts 25 MiB per request (api.md 4).
LAUNCH_JSON_BYTES = read.integer("LAUNCH_JSON_MB", default=5, low=1, high=25) * 1024 * 1024
LAUNCH_FILE_BYTES = read.integer("LAUNCH_FILE_MB", default=10, low=1, high=24) * 1024 * 1024
LAUNCH_FILES_BYTES = read.integer("LAUNCH_FILES_MB", default=20, low=1, high=24) * 1024 * 1024
#: Maximum bytes of all fields of a form that are not files: a launch's values, or a flow that was read from a file, sealed.
DATA_UPLOAD_MAX_MEMORY_SIZE = LAUNCH_JSON_BYTES + 10 * 1024 * 1024
#: Launches per person and minute; 0: no limit.
LAUNCHES_PER_MINUTE = read.integer("LAUNCHES_PER_MINUTE", default=60, low=0, high=100_000)
#: How long a credential's replaced secret is kept, encrypted, before it is destroyed.
CREDENTIAL_KEEP_OLD = timedelta(hours=read.integer("CREDENTIAL_KEEP_OLD_HOURS", default=72, low=1, high=8760))
#: Inputs and answers are removed after this time; the launch itself is kept.
LAUNCH_RETENTION = timedelta(days=read.integer("LAUNCH_RETENTION_DAYS", default=90, low=1, high=3650))
#: Files of exports are removed after this time; the job itself is kept.
JOB_RETENTION = timedelta(days=read.integer("JOB_RETENTION_DAYS", default=7, low=1, high=365))
#: Copies of deleted flows and tables are removed after this time.
DELETED_RETENTION = timedelta(days=read.integer("DELETED_RETENTION_DAYS", default=30, low=1, high=365))
#: Rows of the audit log are removed after this time, behind a signed checkpoint.
AUDIT_RETENTION = timedelta(days=read.integer("AUDIT_RETENTION_DAYS", default=3650, low=30, high=36_500))
#: Concurrent calls of a worker process.
WORKER_SLOTS = read.integer("WORKER_SLOTS", default=300 if not DEBUG else 100, low=1, high=2000)

# --- Practice workspace (only if its URL is set, as `make run` does) ------------------------------
PRACTICE_ENGINE_URL = read.url("PRACTICE_ENGINE_URL", default="")
PRACTICE_ENGINE_TOKEN = read.text("PRACTICE_ENGINE_TOKEN", default="")
#: How long a second of the practice engine lasts: with 0.1 its waits and pauses are ten times shorter.
PRACTICE_CLOCK_SCALE = read.number("PRACTICE_CLOCK_SCALE", default=1, low=0.001, high=10)
#: Whether the practice workspace of `make run` has a month of runs, and a run index over them.
PRACTICE_MONTH = read.boolean("PRACTICE_MONTH", default=False)

# --- Monitoring ----------------------------------------------------------------------------------
#: The token that /metrics requires (Authorization: Bearer ...); without one, there is no such page.
METRICS_TOKEN = read.secret("METRICS_TOKEN", minimum=20, optional=True)
LOG_FORMAT = read.one_of("LOG_FORMAT", {"json", "text"}, default="text" if DEBUG else "json")
LOGGING = logs.logging_config(read.text("LOG_LEVEL", default="INFO"), plain=LOG_FORMAT == "text")
