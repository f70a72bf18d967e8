"""Requests about variables."""

from __future__ import annotations

from prefect.client._calls._call import EXISTS, NOT_FOUND, Call, given, many, nothing, one
from prefect.client.schemas.actions import VariableCreate, VariableUpdate
from prefect.client.schemas.objects import Variable


def create_variable(variable: VariableCreate) -> Call[Variable]:
    """Create a variable."""
    return Call("POST", "/variables/", body=variable, parse=one(Variable), errors=EXISTS)


def update_variable(variable: VariableUpdate) -> Call[None]:
    """Change the variable of that name."""
    return Call("PATCH", "/variables/name/{name}", {"name": variable.name}, body=variable, parse=nothing)


def read_variable_by_name(name: str) -> Call[Variable | None]:
    """Read a variable; None when there is none of that name."""
    return Call("GET", "/variables/name/{name}", {"name": name}, parse=one(Variable), absent=None)


def delete_variable_by_name(name: str) -> Call[None]:
    """Delete a variable."""
    return Call("DELETE", "/variables/name/{name}", {"name": name}, parse=nothing, errors=NOT_FOUND)


def read_variables(limit: int | None = None) -> Call[list[Variable]]:
    """Read all variables."""
    return Call("POST", "/variables/filter", body=given(limit=limit), parse=many(Variable))
