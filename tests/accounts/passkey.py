"""A passkey without a browser: what a device answers, with a signature counter that the test chooses."""

import hashlib
import os
from typing import Any
from urllib.parse import urlsplit

from allauth.account.utils import user_pk_to_url_str
from allauth.mfa.models import Authenticator
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from django.conf import settings
from fido2.cose import ES256
from fido2.utils import websafe_encode
from fido2.webauthn import AttestationObject, AttestedCredentialData, AuthenticatorData, CollectedClientData

from workflows_ui.accounts.models import User

_FLAGS = AuthenticatorData.FLAG.UP | AuthenticatorData.FLAG.UV


class Passkey:
    """A key of the person's device, registered with this counter; copies of it sign as well as it does."""

    def __init__(self, person: User, counter: int) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._id = os.urandom(16)
        self._owner = user_pk_to_url_str(person).encode()
        public = ES256.from_cryptography_key(self._key.public_key())  # type: ignore[no-untyped-call]
        attested = AttestedCredentialData.create(bytes(16), self._id, public)
        data = self._data(counter, _FLAGS | AuthenticatorData.FLAG.AT, attested)
        response = {
            "clientDataJSON": self._client_data(CollectedClientData.TYPE.CREATE, websafe_encode(os.urandom(32))),
            "attestationObject": AttestationObject.create("none", data, {}),
        }
        credential = self._credential(response) | {"clientExtensionResults": {"credProps": {"rk": True}}}
        self.row = Authenticator.objects.create(
            user=person, type=Authenticator.Type.WEBAUTHN, data={"name": "Phone", "credential": credential}
        )

    def sign(self, options: dict[str, Any], counter: int) -> dict[str, Any]:
        """The credential that the browser sends for these options of the page."""
        data = self._data(counter, _FLAGS)
        client_data = self._client_data(CollectedClientData.TYPE.GET, options["publicKey"]["challenge"])
        signature = self._key.sign(data + hashlib.sha256(client_data).digest(), ec.ECDSA(hashes.SHA256()))
        response = {
            "clientDataJSON": client_data,
            "authenticatorData": data,
            "signature": signature,
            "userHandle": self._owner,
        }
        return self._credential(response)

    def _credential(self, response: dict[str, bytes]) -> dict[str, Any]:
        name = websafe_encode(self._id)
        encoded = {field: websafe_encode(value) for field, value in response.items()}
        return {"id": name, "rawId": name, "type": "public-key", "response": encoded, "clientExtensionResults": {}}

    @staticmethod
    def _data(counter: int, flags: AuthenticatorData.FLAG, attested: bytes = b"") -> AuthenticatorData:
        host = hashlib.sha256((urlsplit(settings.BASE_URL).hostname or "").encode()).digest()
        data: AuthenticatorData = AuthenticatorData.create(host, flags, counter, attested)
        return data

    @staticmethod
    def _client_data(kind: CollectedClientData.TYPE, challenge: str) -> CollectedClientData:
        return CollectedClientData.create(kind, challenge, settings.BASE_URL)
