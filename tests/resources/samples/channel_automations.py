"""A channel automation, with the keys of api.md section 17; Imbrace's own, beside the engine."""

from tests.resources.samples import Sample
from tests.stub_engine import identity
from workflows_ui.members.models import Flavour

_PATH = "/channel-service/v1/workflows/channel_automation"

SAMPLE = Sample(
    _PATH,
    lambda name: {"id": identity(1), "name": name, "active": True, "tags": [{"id": "t", "name": "web"}]},
    (_PATH, "/flows"),
    filter="channel=whatsapp",
    huge={"note": "y" * 3_000_000},
    has_own_call=False,
    flavour=Flavour.IMBRACE,
)
