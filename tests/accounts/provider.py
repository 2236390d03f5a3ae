"""A small OpenID Connect provider over HTTP for tests: discovery, keys, code flow with PKCE, userinfo; and faults at the wire."""

import base64
import hashlib
import json
import secrets
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

CLIENT, SECRET = "console-client", "console-client-secret"


class Provider:
    """One provider. What it claims of the person who signs in is `claims`; the rest are its ways to go wrong."""

    def __init__(self) -> None:
        self.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.other_key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.issuer = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()
        self.reset()

    def reset(self) -> None:
        """As good as new; what was asked for is forgotten."""
        self.claims: dict[str, Any] = {
            "sub": "subject-1",
            "email": "Lan@Example.com",
            "email_verified": True,
            "preferred_username": "lan",
            "given_name": "Lan",
            "family_name": "Trần",
        }
        #: Laid over the ID token as the last thing.
        self.token: dict[str, Any] = {}
        self.userinfo: dict[str, Any] | None = None
        self.algorithm = "RS256"
        self.foreign_key = False
        self.configuration: dict[str, Any] = {}
        #: Answers by path that take the place of the right ones: (status, headers, body).
        self.answers: dict[str, tuple[int, dict[str, str], bytes]] = {}
        self.seen: list[str] = []
        self._codes: dict[str, dict[str, str]] = {}

    def close(self) -> None:
        """Ends the server."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def authorize(self, url: str) -> dict[str, str]:
        """Somebody signs in there at once. What a browser brings back from the address that it was sent to: the query of the way back."""
        query = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
        assert query["response_type"] == "code"
        assert query["client_id"] == CLIENT
        assert query["code_challenge_method"] == "S256"
        assert "openid" in query["scope"].split()
        code = secrets.token_urlsafe(16)
        self._codes[code] = query
        return {"code": code, "state": query["state"], "iss": self.issuer}

    def _told(self) -> dict[str, Any]:
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "userinfo_endpoint": f"{self.issuer}/userinfo",
            "jwks_uri": f"{self.issuer}/keys",
            "token_endpoint_auth_methods_supported": ["client_secret_basic"],
            "scopes_supported": ["openid", "email", "profile", "groups"],
        } | self.configuration

    def _keys(self) -> dict[str, Any]:
        key = jwt.algorithms.RSAAlgorithm.to_jwk(self.key.public_key(), as_dict=True)
        return {"keys": [key | {"kid": "one", "use": "sig", "alg": "RS256"}]}

    def _id_token(self, nonce: str) -> str:
        now = int(time.time())
        claims = {"iss": self.issuer, "aud": CLIENT, "iat": now, "exp": now + 300, "nonce": nonce, **self.claims}
        claims |= self.token
        claims = {name: value for name, value in claims.items() if value is not None}
        if self.algorithm == "HS256":
            return jwt.encode(claims, SECRET * 2, algorithm="HS256", headers={"kid": "one"})
        if self.algorithm == "none":
            return jwt.encode(claims, "", algorithm="none", headers={"kid": "one"})
        key = self.other_key if self.foreign_key else self.key
        return jwt.encode(claims, key, algorithm="RS256", headers={"kid": "one"})

    def _exchange(self, sent: dict[str, str], authorization: str) -> tuple[int, dict[str, Any]]:
        expected = base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
        if authorization != f"Basic {expected}" and sent.get("client_secret") != SECRET:
            return 401, {"error": "invalid_client"}
        asked = self._codes.pop(sent.get("code", ""), None)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(sent.get("code_verifier", "").encode()).digest())
        if asked is None or asked["redirect_uri"] != sent["redirect_uri"]:
            return 400, {"error": "invalid_grant"}
        if challenge.rstrip(b"=").decode() != asked["code_challenge"]:
            return 400, {"error": "invalid_grant"}
        return 200, {"access_token": "access-1", "token_type": "Bearer", "id_token": self._id_token(asked["nonce"])}

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *_arguments: Any) -> None:
                """Says nothing."""

            def do_GET(self) -> None:
                answer: dict[str, Any] = {}
                if self.path.startswith("/authorize?"):
                    brought = provider.authorize(self.path)
                    back = parse_qs(urlsplit(self.path).query)["redirect_uri"][0]
                    self.send_response(302)
                    self.send_header("Location", f"{back}?{urlencode(brought)}")
                    self.send_header("Content-Length", "0")
                    self.end_headers()
                    return
                if self.path == "/.well-known/openid-configuration":
                    answer = provider._told()
                elif self.path == "/keys":
                    answer = provider._keys()
                elif self.path == "/userinfo" and self.headers["Authorization"] == "Bearer access-1":
                    answer = provider.userinfo or {"sub": provider.claims["sub"]}
                self._answer(200 if answer else 404, answer)

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"] or 0)).decode()
                sent = {name: values[0] for name, values in parse_qs(body).items()}
                self._answer(*provider._exchange(sent, self.headers["Authorization"] or ""))

            def _answer(self, status: int, answer: dict[str, Any]) -> None:
                provider.seen.append(self.path)
                status, headers, body = provider.answers.get(self.path, (status, {}, json.dumps(answer).encode()))
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

        return Handler
