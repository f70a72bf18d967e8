"""A store on a real database, and the API in front of it, without HTTP."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from tests.postgres import empty

from prefect.server.database.store import Store, forget_store, open_store
from prefect.server.routes import LOCAL, ApiError, Caller, Reply, dispatch


@dataclass(frozen=True)
class Request:
    """One request, as `dispatch` takes it."""

    method: str
    template: str
    path: Mapping[str, Any] = field(default_factory=dict)
    query: Mapping[str, Any] = field(default_factory=dict)
    body: Any = None


@dataclass(frozen=True)
class Api:
    """Answers requests from a store: `api("GET", "/flows/{id}", id=…).body`."""

    store: Store

    def __call__(
        self,
        method: str,
        template: str,
        body: Any = None,
        *,
        query: Mapping[str, Any] | None = None,
        caller: Caller = LOCAL,
        **path: Any,
    ) -> Reply[Any]:
        return dispatch(self.store, Request(method, template, path, query or {}, body), caller)

    def refused(self, *args: Any, **kwargs: Any) -> ApiError:
        """The refusal of a request that must fail."""
        with pytest.raises(ApiError) as caught:
            self(*args, **kwargs)
        return caught.value

    # -- words of the tests ------------------------------------------------------------------------------------------

    def flow(self, name: str = "flow", **fields: Any) -> Any:
        return self("POST", "/flows/", {"name": name, **fields}).body

    def deployment(self, name: str = "deployment", flow_id: UUID | None = None, **fields: Any) -> Any:
        """A deployment; of a flow named "flow" when none is given."""
        body = {"name": name, "flow_id": flow_id or self.flow().id, **fields}
        return self("POST", "/deployments/", body).body

    def flow_run(
        self, flow_id: UUID | None = None, state: str | dict[str, Any] | None = "PENDING", **fields: Any
    ) -> Any:
        """A new flow run; of a flow named "flow" when none is given."""
        body = {"flow_id": flow_id or self.flow().id, "state": _state(state), **fields}
        return self("POST", "/flow_runs/", body).body

    def task_run(
        self,
        flow_run_id: UUID | None,
        key: str = "task",
        state: str | dict[str, Any] | None = "PENDING",
        **fields: Any,
    ) -> Any:
        body = {"flow_run_id": flow_run_id, "task_key": key, "dynamic_key": "0", "name": key, "state": _state(state)}
        body.update(fields)
        return self("POST", "/task_runs/", body).body

    def set_state(self, kind: str, id: UUID, type: str, *, force: bool = False, **state: Any) -> Any:
        """Propose a state; answers with the result of the orchestration."""
        body = {"state": {"type": type, **state}, "force": force}
        return self("POST", f"/{kind}s/{{id}}/set_state", body, id=id).body

    def read(self, kind: str, id: UUID) -> Any:
        return self("GET", f"/{kind}s/{{id}}", id=id).body


def _state(state: str | dict[str, Any] | None) -> dict[str, Any] | None:
    return {"type": state} if isinstance(state, str) else state


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """An empty database of each kind that the server supports."""
    if request.param == "postgresql":
        store = request.getfixturevalue("postgres")
        yield store
        empty(store)
    else:
        url = f"sqlite:///{tmp_path / 'server.db'}"
        yield open_store(url)
        forget_store(url)


@pytest.fixture
def api(store: Store) -> Api:
    """The API of that database."""
    return Api(store)
