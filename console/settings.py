"""Settings of the console: everything comes from the environment, nothing is guessed in production.

A bad or missing value raises ImproperlyConfigured with the name of the variable and what to do. The table of all variables is in the
README and in `.env.example`; a test holds the three together.
"""

from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import environ
import jazzy_tabler
from cryptography.fernet import Fernet
from csp.constants import NONCE, NONE, SELF
from django.core.exceptions import ImproperlyConfigured

from console import environment, logs

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()
read = environment.Reader(env)

DEBUG = read.boolean("DEBUG", default=False)
#: Where keys, the SQLite database, and broker files live when no server is named.
VAR_DIR = read.folder("VAR_DIR", default=BASE_DIR / "var")

# --- Secrets -------------------------------------------------------------------------------------
SECRET_KEY = read.secret("SECRET_KEY", minimum=32)
#: Fernet keys, comma separated: the first encrypts, all of them decrypt.
CREDENTIAL_KEYS = read.keys("CREDENTIAL_KEYS", check=Fernet)
#: Comma separated: the first makes the marks of the audit log's chain, all of them prove it.
AUDIT_KEY = read.secrets("AUDIT_KEY", minimum=32)
if SECRET_KEY in AUDIT_KEY:
    raise ImproperlyConfigured("AUDIT_KEY must be another secret than SECRET_KEY.")

# --- Where the console is reached ----------------------------------------------------------------
PORT = read.integer("PORT", default=8000, low=1, high=65535)
#: The address of this machine at which the web server listens; 0.0.0.0 is all of them.
BIND = read.address("BIND", default="127.0.0.1")
#: Web server processes, and requests that each carries at once.
WEB_PROCESSES = read.integer("WEB_PROCESSES", default=2, low=1, high=64)
WEB_THREADS = read.integer("WEB_THREADS", default=8, low=1, high=128)
BASE_URL = read.url("BASE_URL", default=f"http://127.0.0.1:{PORT}" if DEBUG else None).rstrip("/")
ALLOWED_HOSTS = read.words("ALLOWED_HOSTS", default="127.0.0.1,localhost,[::1]" if DEBUG else "")
if not ALLOWED_HOSTS:
    raise ImproperlyConfigured("ALLOWED_HOSTS is missing: list the host names of the console, separated by commas.")
if "*" in ALLOWED_HOSTS and not DEBUG:
    raise ImproperlyConfigured("ALLOWED_HOSTS may not be '*': list the host names of the console.")
CSRF_TRUSTED_ORIGINS = ["{0.scheme}://{0.netloc}".format(urlsplit(BASE_URL))]
#: How many reverse proxies of ours stand in front; so many entries of X-Forwarded-For are believed, counted from the right.
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
    # Without looking for admin modules: the site is made in views/administration.py.
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
    "template_partials.apps.SimpleAppConfig",
]
MIDDLEWARE = [
    "django_prometheus.middleware.PrometheusBeforeMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "workflows_ui.middleware.headers.SafeHeaders",
    "workflows_ui.middleware.requests.RequestContext",
    "django_htmx.middleware.HtmxMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "workflows_ui.middleware.preferences.Preferences",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "workflows_ui.middleware.errors.EngineErrors",
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
                "workflows_ui.kit.nav.frame",
            ],
            "loaders": [
                (
                    "template_partials.loader.Loader",
                    [
                        (
                            "django.template.loaders.cached.Loader",
                            [
                                "django.template.loaders.filesystem.Loader",
                                "django.template.loaders.app_directories.Loader",
                            ],
                        )
                    ],
                )
            ],
            "builtins": [
                "template_partials.templatetags.partials",
                "django.templatetags.i18n",
                "workflows_ui.templatetags.console",
            ],
        },
    }
]
CRISPY_ALLOWED_TEMPLATE_PACKS = CRISPY_TEMPLATE_PACK = "bootstrap5"

# --- Data ----------------------------------------------------------------------------------------
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
DATABASES = {
    "default": read.database("DATABASE_URL", default=f"sqlite:///{VAR_DIR / 'console.sqlite3'}" if DEBUG else None)
}
#: Put before every key of ours in Redis, so that several consoles can share one.
REDIS_PREFIX = read.text("REDIS_PREFIX", default="")
CACHES = {
    "default": read.cache(
        "CACHE_URL", default=f"filecache://{VAR_DIR / 'cache'}" if DEBUG else None, prefix=REDIS_PREFIX
    )
}
SESSION_ENGINE = "django.contrib.sessions.backends.db"

# --- People --------------------------------------------------------------------------------------
AUTH_USER_MODEL = "workflows_ui.User"
AUTHENTICATION_BACKENDS = ["workflows_ui.services.passwords.Backend"]
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
ACCOUNT_ADAPTER = "workflows_ui.views.accounts.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"username", "email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "username*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_SESSION_REMEMBER = None
ACCOUNT_LOGOUT_ON_GET = False
ALLAUTH_TRUSTED_PROXY_COUNT = TRUSTED_PROXIES
#: No mail goes to an address that nobody here has: anybody may type anybody's into the reset form.
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False
ACCOUNT_EMAIL_NOTIFICATIONS = True
#: Counted in the shared cache. Five wrong passwords lock a name for five minutes, whether or not somebody has it.
ACCOUNT_RATE_LIMITS = {
    "login_failed": "20/m/ip,5/5m/key",
    "credential_test": "20/m/user",
    "single_sign_on": "30/m/ip",
    "invite": "60/h/user",
}
#: One address a person: a new one takes over once the link in the mail to it was followed.
ACCOUNT_CHANGE_EMAIL = True
#: A change of the second step or of the address asks again who one is, unless that was asked so many seconds ago.
ACCOUNT_REAUTHENTICATION_REQUIRED = True
ACCOUNT_REAUTHENTICATION_TIMEOUT = 300

# --- Single sign-on (OpenID Connect), only where an issuer is given -------------------------------
OIDC_ISSUER = read.url("OIDC_ISSUER", default="")
OIDC_CLIENT_ID = read.text("OIDC_CLIENT_ID", default="")
OIDC_CLIENT_SECRET = read.text("OIDC_CLIENT_SECRET", default="")
#: What the button on the sign-in page names.
OIDC_NAME = read.text("OIDC_NAME", default="single sign-on")
#: An account is made at the first sign-on of whoever has a confirmed address in one of these domains, or is in one of these groups.
OIDC_ALLOWED_DOMAINS = read.words("OIDC_ALLOWED_DOMAINS", default="")
OIDC_ALLOWED_GROUPS = read.words("OIDC_ALLOWED_GROUPS", default="")
if OIDC_ISSUER and not (OIDC_CLIENT_ID and OIDC_CLIENT_SECRET):
    raise ImproperlyConfigured("OIDC_ISSUER is given: OIDC_CLIENT_ID and OIDC_CLIENT_SECRET are needed with it.")
if OIDC_ISSUER and not OIDC_ISSUER.startswith("https://") and not DEBUG:
    raise ImproperlyConfigured(
        "OIDC_ISSUER must start with https://: whoever could change its answers could be anybody here."
    )

# --- Second step of signing in -------------------------------------------------------------------
MFA_ADAPTER = "workflows_ui.views.second_step.SecondStepAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_WEBAUTHN_USER_VERIFICATION = "preferred"
MFA_TOTP_ISSUER = "Workflow console"
#: A phone's clock may be half a minute off; that no code works twice is seen to by forms/second_step.py.
MFA_TOTP_TOLERANCE = 1
#: Accounts are given out, so that an address which nobody has confirmed yet belongs to no intruder.
MFA_ALLOW_UNVERIFIED_EMAIL = True
MFA_FORMS = {
    "authenticate": "workflows_ui.forms.second_step.CodeForm",
    "reauthenticate": "workflows_ui.forms.second_step.CodeAgainForm",
    "activate_totp": "workflows_ui.forms.second_step.AppForm",
    "authenticate_webauthn": "workflows_ui.forms.second_step.PasskeyStepForm",
    "reauthenticate_webauthn": "workflows_ui.forms.second_step.PasskeyAgainForm",
    "login_webauthn": "workflows_ui.forms.second_step.PasskeySignInForm",
    "add_webauthn": "workflows_ui.forms.second_step.PasskeyForm",
    "edit_webauthn": "workflows_ui.forms.second_step.PasskeyNameForm",
}
#: Browsers know passkeys on a host name only, and only over https (or on this very machine).
PASSKEYS = environment.passkeys(BASE_URL)

# --- Language and time ---------------------------------------------------------------------------
LANGUAGE_CODE = read.one_of("LANGUAGE_CODE", {"en", "vi"}, default="en")
LANGUAGES = [("en", "English"), ("vi", "Tiếng Việt")]
LOCALE_PATHS = [BASE_DIR / "locale"]
TIME_ZONE = read.time_zone("TIME_ZONE", default="Asia/Ho_Chi_Minh")
USE_TZ = True

# --- Static files --------------------------------------------------------------------------------
STATIC_URL = "/static/"
STATIC_ROOT = read.folder("STATIC_ROOT", default=VAR_DIR / "static")
#: Tabler and Font Awesome as files only: the package's own application is an admin theme that breaks a strict policy.
STATICFILES_DIRS = [BASE_DIR / "static", Path(jazzy_tabler.__file__).parent / "static"]
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
#: Seconds that a mail server may take for one answer: a page waits for it.
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
CSRF_FAILURE_VIEW = "workflows_ui.kit.errors.csrf_failure"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
if HTTPS:
    # Browsers take a cookie of such a name from this very host only: no neighbour below the same domain can put one in.
    SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = "__Host-sessionid", "__Host-csrftoken"
SESSION_COOKIE_AGE = int(timedelta(days=14).total_seconds())
SECURE_SSL_REDIRECT = HTTPS and not DEBUG
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$", r"^metrics$"]
SECURE_HSTS_SECONDS = int(timedelta(days=365).total_seconds()) if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = HTTPS
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
if TRUSTED_PROXIES:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
DATA_UPLOAD_MAX_MEMORY_SIZE = 30 * 1024 * 1024
# Each cell of a table in a launch form is a control: 1,000 rows of 30 columns, and the rest of the page.
DATA_UPLOAD_MAX_NUMBER_FIELDS = 35_000
#: What is larger than any form takes is not written to disk first.
FILE_UPLOAD_HANDLERS = [
    "workflows_ui.kit.upload_limit.SkipLarge",
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
# RabbitMQ's connections are made anew only where a message may be tried once more; else, once it was away, the clock would ring in
# vain for ever. A client of Redis connects by itself, and would make a click wait twice as long for one that hangs.
CELERY_TASK_PUBLISH_RETRY = CELERY_BROKER_URL.startswith("amqp")
CELERY_TASK_PUBLISH_RETRY_POLICY = {"max_retries": 1, "interval_start": 0, "interval_step": 0, "interval_max": 0}
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_SEND_TASK_EVENTS = False
# Nobody commands workers from outside; and on RabbitMQ two of one machine would quarrel about the queue of commands.
CELERY_WORKER_ENABLE_REMOTE_CONTROL = False
CELERY_TIMEZONE = "UTC"
CELERY_BEAT_SCHEDULE_FILENAME = str(VAR_DIR / "beat")

# --- Engine --------------------------------------------------------------------------------------
#: Private and loopback networks in which engines may live (CIDR, comma separated).
ENGINE_PRIVATE_NETWORKS = read.networks("ENGINE_PRIVATE_NETWORKS", default="127.0.0.0/8,::1/128" if DEBUG else "")
#: A file of certificate authorities, where engines use a private one.
ENGINE_CA_BUNDLE = read.file("ENGINE_CA_BUNDLE")
#: The proxy through which engines are called.
ENGINE_PROXY = read.url("ENGINE_PROXY", default="")

# --- Launches ------------------------------------------------------------------------------------
#: A launch that could not be sent for so long ends as "not sent: too late".
LAUNCH_TOO_LATE = timedelta(seconds=read.integer("LAUNCH_TOO_LATE_SECONDS", default=900, low=1, high=86_400))
#: How long a launch of unclear fate is searched for in the engine before a person is asked.
LAUNCH_SEARCH = timedelta(seconds=read.integer("LAUNCH_SEARCH_SECONDS", default=300, low=1, high=86_400))
#: The longest wait for an answer; the engine itself waits 30 s (api.md 7.2), the gateway too.
LAUNCH_DEADLINE = timedelta(seconds=read.integer("LAUNCH_DEADLINE_SECONDS", default=45, low=1, high=600))
#: A credential's replaced secret is kept, encrypted, for so many hours, and then destroyed.
CREDENTIAL_KEEP_OLD = timedelta(hours=read.integer("CREDENTIAL_KEEP_OLD_HOURS", default=72, low=1, high=8760))
#: Inputs and answers are removed after so many days; the launch itself stays in the record.
LAUNCH_RETENTION = timedelta(days=read.integer("LAUNCH_RETENTION_DAYS", default=90, low=1, high=3650))
#: Files of exports are kept for so many days; the job itself stays in the record.
JOB_RETENTION = timedelta(days=read.integer("JOB_RETENTION_DAYS", default=7, low=1, high=365))
#: Rows of the audit log are removed after so many days, behind a signed checkpoint.
AUDIT_RETENTION = timedelta(days=read.integer("AUDIT_RETENTION_DAYS", default=3650, low=30, high=36_500))
#: Waiting calls that one worker process carries at once.
WORKER_SLOTS = read.integer("WORKER_SLOTS", default=300 if not DEBUG else 100, low=1, high=2000)

# --- Practice workspace (only where its address is given, as `make run` does) ---------------------
PRACTICE_ENGINE_URL = read.url("PRACTICE_ENGINE_URL", default="")
PRACTICE_ENGINE_TOKEN = read.text("PRACTICE_ENGINE_TOKEN", default="")
#: How long a second of the practice engine lasts: 0.1 makes its waits and pauses ten times shorter, for trying things out and tests.
PRACTICE_CLOCK_SCALE = read.number("PRACTICE_CLOCK_SCALE", default=1, low=0.001, high=10)

# --- Watching ------------------------------------------------------------------------------------
#: Lets a collector of measurements read /metrics from elsewhere than this machine (Authorization: Bearer ...).
METRICS_TOKEN = read.secret("METRICS_TOKEN", minimum=20, optional=True)
LOG_FORMAT = read.one_of("LOG_FORMAT", {"json", "text"}, default="text" if DEBUG else "json")
LOGGING = logs.settings(read.text("LOG_LEVEL", default="INFO"), plain=LOG_FORMAT == "text")
