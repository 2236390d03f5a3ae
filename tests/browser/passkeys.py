"""A device with a fingerprint reader, played by Chromium, so that people can use passkeys. They need a host name: `localhost` is one."""

from typing import Any

from playwright.sync_api import Page


def device(page: Page) -> tuple[Any, str]:
    """Puts such a device into this window's machine: the way to talk to it, and its id."""
    talk = page.context.new_cdp_session(page)
    talk.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    made = talk.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    return talk, made["authenticatorId"]
