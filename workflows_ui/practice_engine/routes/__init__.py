"""The routes, one module per resource, which declare them when they are imported."""

import importlib
import pkgutil

from workflows_ui.practice_engine.core import ENGINE

from . import gateway

for module in pkgutil.iter_modules(__path__):
    importlib.import_module(f"{__name__}.{module.name}")

SERVICES = {
    "engine": ENGINE,
    "channel": gateway.channel,
    "backend": gateway.backend,
    "platform": gateway.platform,
    "gateway": gateway.root,
}
