"""The routes by which a process that runs flows and tasks tells that it is alive. They are an addition to the published API."""

from __future__ import annotations

from uuid import UUID

from prefect.server.database.store import Transaction
from prefect.server.models.errors import Invalid
from prefect.server.models.flow_run_leases import lease_span, release_lease, renew_leases
from prefect.server.models.task_run_leases import renew_task_run_leases
from prefect.server.routes._table import Caller, route


@route("POST", "/flow_run_leases/renew")
def renew_flow_run_leases(tx: Transaction, caller: Caller) -> dict[str, float]:
    """Renew the leases on all runs of the process that the header X-Prefect-Run-Holder names.

    The answer says how many there are (`renewed`), and how long they last from now on (`lease_seconds`).
    """
    holder = _holder(caller)
    renewed = renew_leases(tx, holder) + renew_task_run_leases(tx, holder)
    return {"renewed": renewed, "lease_seconds": lease_span().total_seconds()}


@route("POST", "/flow_run_leases/release", status=204)
def release_flow_run_lease(tx: Transaction, flow_run_id: UUID, *, caller: Caller) -> None:
    """Give back the lease that the process has on one run: what it has started goes on with the run by itself.

    Nobody is taken to be lost until a process takes the next lease. A lease of somebody else stays.
    """
    release_lease(tx, flow_run_id, _holder(caller))


def _holder(caller: Caller) -> str:
    if caller.holder is None:
        raise Invalid("The header X-Prefect-Run-Holder is missing; it names the process whose leases are meant.")
    return caller.holder
