"""The route by which a process that runs flow runs tells that it is alive. It is an addition to the published API."""

from __future__ import annotations

from prefect.server.database.store import Transaction
from prefect.server.models.errors import Invalid
from prefect.server.models.flow_run_leases import lease_span, renew_leases
from prefect.server.routes._table import Caller, route


@route("POST", "/flow_run_leases/renew")
def renew_flow_run_leases(tx: Transaction, caller: Caller) -> dict[str, float]:
    """Renew the leases on all flow runs of the process that the header X-Prefect-Run-Holder names.

    The answer says how many there are (`renewed`), and how long they last from now on (`lease_seconds`).
    """
    if caller.holder is None:
        raise Invalid(
            "The header X-Prefect-Run-Holder is missing; it names the process whose leases are to be renewed."
        )
    return {"renewed": renew_leases(tx, caller.holder), "lease_seconds": lease_span().total_seconds()}
