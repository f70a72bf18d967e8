"""The route that hands out CSRF tokens."""

from __future__ import annotations

from prefect.client.schemas.objects import CsrfToken
from prefect.server.database.store import Transaction
from prefect.server.models import csrf as models
from prefect.server.models.errors import Invalid
from prefect.server.routes._table import route
from prefect.settings import get_current_settings


@route("GET", "/csrf-token", query=("client",), tags=())
def create_csrf_token(tx: Transaction, client: str) -> CsrfToken:
    """Make a token that the requests of a client have to carry."""
    settings = get_current_settings().server.api
    if not settings.csrf_protection_enabled:
        raise Invalid("CSRF protection is disabled.")
    expires_at = models.csrf_expiry(tx.now, settings.csrf_token_expiration)
    token = models.make_csrf_token(models.read_csrf_key(tx), client, expires_at)
    return CsrfToken(token=token, client=client, expiration=expires_at, created=tx.now, updated=tx.now)
