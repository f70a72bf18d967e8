"""Objects of the cloud product, which clients meet when they talk to it."""

from uuid import UUID

from pydantic import IPvAnyNetwork

from prefect.client.schemas._base import PrefectBaseModel, publish

__all__ = ["IPAllowlist", "IPAllowlistEntry", "IPAllowlistMyAccessResponse", "Workspace"]


class Workspace(PrefectBaseModel):
    """A workspace, and the account that it belongs to."""

    account_id: UUID
    account_name: str
    account_handle: str
    workspace_id: UUID
    workspace_name: str
    workspace_description: str
    workspace_handle: str

    @property
    def handle(self) -> str:
        """How people name it: `account/workspace`."""
        return f"{self.account_handle}/{self.workspace_handle}"

    def api_url(self) -> str:
        """The URL of its API."""
        from prefect.settings import get_current_settings  # noqa: PLC0415 - models of runs must not load the settings

        return f"{get_current_settings().cloud.api_url}/accounts/{self.account_id}/workspaces/{self.workspace_id}"

    def ui_url(self) -> str:
        """The URL of its page."""
        from prefect.settings import get_current_settings  # noqa: PLC0415 - models of runs must not load the settings

        return f"{get_current_settings().cloud.ui_url}/account/{self.account_id}/workspace/{self.workspace_id}"

    def __hash__(self) -> int:
        return hash(self.handle)


class IPAllowlistEntry(PrefectBaseModel):
    """A network that may reach an account."""

    ip_network: IPvAnyNetwork
    enabled: bool
    description: str | None = None
    last_seen: str | None = None


class IPAllowlist(PrefectBaseModel):
    """The networks that may reach an account."""

    entries: list[IPAllowlistEntry]


class IPAllowlistMyAccessResponse(PrefectBaseModel):
    """Whether the caller's address may reach an account."""

    allowed: bool
    detail: str


publish(globals(), __all__, "prefect.client.schemas.objects")
