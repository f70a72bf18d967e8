"""The module of the deployment class of 2.x: what became of its names."""

from prefect._compat.moves import old_names

__getattr__ = old_names(
    __name__,
    moved={"load_flow_from_flow_run": "prefect.flows:load_flow_from_flow_run"},
    removed={"Deployment": "`flow.serve()`, `flow.deploy()` or `prefect deploy`"},
)
