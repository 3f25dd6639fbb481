"""What the gateway shows of accounts, sessions and tokens."""

from frontend_api.views import View


class SessionView(View):
    """Show who is logged in and what they may ask for."""

    person_id: str
    name: str
    roles: list[str]
    verbs: list[str]
    language: str
    expires_ms: int


class AccountView(View):
    """Show a person's account."""

    person_id: str
    name: str
    enrolled: bool
    code_until_ms: int


class TokenView(View):
    """Show a long-lived token; its secret was shown once."""

    id: str
    name: str
    person_id: str
    scopes: list[str]
    created_ms: int
    expires_ms: int
    used_ms: int


class AuthView(View):
    """Say to anyone whether the hub still waits for its owner."""

    claimed: bool
    language: str
    here: bool
    """Whether who asks is logged in."""


class PickView(View):
    """Offer one person of the bundle to the holder of the claim code."""

    id: str
    name: str
    roles: list[str]
