"""The layer of every module: the table of docs/architecture.md, as data.

The longest entry that a module's name starts with decides. A package that is not here has no layer, and fails the test.
"""

from __future__ import annotations

_LAYERS: dict[int, str] = {
    0: "types exceptions utilities _upcalls _version _plans _seen _functions _file_trees _socket_urls _client_metrics _extras",
    # Filters and actions are data: what an event query or an automation says.
    1: "settings client.schemas events.schemas events.filters events.actions _current _compat _outside_flows",
    2: "logging client events serializers _recorder _asking _shipping _sockets _polling _task_runs",
    3: """states results filesystems blocks cache_policies transactions locking concurrency artifacts variables automations
        schedules assets _state_values _result_records _result_storage _flow_run_waiting _remote_filesystems _internal""",
    # `client.utilities` finds the client of the active context.
    4: "context futures task_runners runtime client.utilities _engine",
    # Public names of low packages whose substance is authoring or the engine.
    5: """flows tasks flow_runs task_runs flow_engine task_engine engine input deployments _loading _deployable
        assets.materialize utilities.engine _code_storage runner.storage""",
    6: "runner workers task_worker _task_worker_status bundles docker infrastructure",
    7: "cli testing main plugins agent analytics _experimental _launch __main__",
}
_SERVER_LAYERS: dict[int, str] = {
    0: "schemas exceptions",
    1: "database",
    2: "orchestration events",
    3: "models encryption",
    4: "services routes",
    5: "api ui",
}
LAYER_OF = {f"prefect.{name}": layer for layer, names in _LAYERS.items() for name in names.split()}
SERVER_LAYER_OF = {f"prefect.server.{name}": layer for layer, names in _SERVER_LAYERS.items() for name in names.split()}


def is_server(module: str) -> bool:
    return module == "prefect.server" or module.startswith("prefect.server.")


def layer_of(module: str) -> int | None:
    """The layer of a module, counted among the server's own for those of the server; None: the table lacks it."""
    table = SERVER_LAYER_OF if is_server(module) else LAYER_OF
    name = module
    while name:
        if name in table:
            return table[name]
        name = name.rpartition(".")[0]
    return None
