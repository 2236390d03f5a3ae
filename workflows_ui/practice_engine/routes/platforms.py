"""The server as a whole: its flags, health and platform (engine-0.83.md section 1; recordings ``flags``, ``health*``, ``platform_get``).

What is constant in a community edition is in ``platform.json``.
"""

from workflows_ui.practice_engine import accounts
from workflows_ui.practice_engine.auth import PUBLIC
from workflows_ui.practice_engine.core import Engine, Routes
from workflows_ui.practice_engine.data_files import read_data
from workflows_ui.practice_engine.http import V083, HttpError, Json, Request

from . import tables

routes = Routes()
CONSTANTS = "routes/platform.json"


@routes.route("GET", "/v1/flags", auth=PUBLIC, before=V083)
def flags_before(engine: Engine, request: Request) -> Json:
    """Return facts about the server: no recording of 0.72.4 has them, and only these are used."""
    version = ".".join(str(number) for number in request.version)
    edition = "ee" if request.on_gateway else "ce"
    return {"CURRENT_VERSION": version, "EDITION": edition, **_limits(engine, request)}


@routes.route("GET", "/v1/flags", auth=PUBLIC, since=V083)
def flags(engine: Engine, request: Request) -> Json:
    settings = engine.settings
    base = f"http://{request.headers.get('host', 'practice.example')}"
    return {
        **read_data(CONSTANTS)["flags"],
        "CURRENT_VERSION": settings.version,
        "THIRD_PARTY_AUTH_PROVIDER_REDIRECT_URL": f"{base}/redirect",
        "PUBLIC_URL": f"{base}/",
        "WEBHOOK_URL_PREFIX": f"{base}/api/v1/webhooks",
        "FLOW_RUN_TIME_SECONDS": settings.flow_limit,
        "WEBHOOK_TIMEOUT_SECONDS": settings.wait_limit,
        **_limits(engine, request),
        "MAX_FILE_SIZE_MB": settings.max_file_size_mb,
    }


@routes.route("GET", "/v1/health", auth=PUBLIC, since=V083)
def health(engine: Engine, request: Request) -> Json:
    return {"status": "Healthy"}


@routes.route("GET", "/v1/health/system", since=V083)
def system_health(engine: Engine, request: Request) -> Json:
    return {"cpu": True, "disk": True, "ram": True, "database": True}


@routes.route("GET", "/v1/platforms/{id:id}", since=V083)
def platform(engine: Engine, request: Request) -> Json:
    """Return the only platform."""
    if request.params["id"] != accounts.PLATFORM:
        raise HttpError.not_found("platform", request.params["id"])
    owner = engine.state.users[accounts.ANH]
    row = {"id": accounts.PLATFORM, "created": owner["created"], "updated": owner["created"], "ownerId": owner["id"]}
    return {**row, **read_data(CONSTANTS)["platform"]}


@routes.route("GET", "/v1/templates", since=V083)
def templates(engine: Engine, request: Request) -> Json:
    """Fail: the gallery is in the vendor's cloud, which cannot be reached (recording ``templates_list``)."""
    raise HttpError.plain(500, "the gallery of templates cannot be reached")


def _limits(engine: Engine, request: Request) -> Json:
    return {
        "MAX_RECORDS_PER_TABLE": tables.max_records(engine, request),
        "MAX_FIELDS_PER_TABLE": tables.max_fields(engine, request),
    }
