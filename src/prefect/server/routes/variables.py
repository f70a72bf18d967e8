"""The routes of variables."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from pydantic import Field

from prefect.client.schemas.actions import VariableCreate, VariableUpdate
from prefect.client.schemas.filters import VariableFilter
from prefect.client.schemas.objects import Variable
from prefect.client.schemas.sorting import VariableSort
from prefect.server.database.store import Transaction
from prefect.server.models import variables as models
from prefect.server.routes._pages import checked_limit
from prefect.server.routes._table import ABSENT, Whole, route


@route("POST", "/variables/", status=201)
def create_variable(tx: Transaction, variable: Whole[VariableCreate]) -> Variable:
    """Create a variable."""
    return models.create_variable(tx, variable)


@route("GET", "/variables/{id}", writes=False)
def read_variable(tx: Transaction, id: UUID) -> Variable:
    """Read a variable by its id."""
    return models.read_variable(tx, id)


@route("GET", "/variables/name/{name}", writes=False)
def read_variable_by_name(tx: Transaction, name: str) -> Variable:
    """Read a variable by its name."""
    return models.read_variable_by_name(tx, name)


@route("POST", "/variables/filter", writes=False)
def read_variables(
    tx: Transaction,
    offset: Annotated[int, Field(ge=0)] = 0,
    variables: VariableFilter | None = None,
    sort: VariableSort = VariableSort.NAME_ASC,
    limit: int = ABSENT,
) -> list[Variable]:
    """Read the variables that meet a filter."""
    return models.read_variables(tx, variables, sort, checked_limit(limit), offset)


@route("POST", "/variables/count", writes=False)
def count_variables(tx: Transaction, variables: VariableFilter | None = None) -> int:
    """Count the variables that meet a filter."""
    return models.count_variables(tx, variables)


@route("PATCH", "/variables/{id}", status=204)
def update_variable(tx: Transaction, id: UUID, variable: Whole[VariableUpdate]) -> None:
    """Change a variable, found by its id."""
    models.update_variable(tx, models.read_variable(tx, id), variable)


@route("PATCH", "/variables/name/{name}", status=204)
def update_variable_by_name(tx: Transaction, name: str, variable: Whole[VariableUpdate]) -> None:
    """Change a variable, found by its name."""
    models.update_variable(tx, models.read_variable_by_name(tx, name), variable)


@route("DELETE", "/variables/{id}", status=204)
def delete_variable(tx: Transaction, id: UUID) -> None:
    """Delete a variable, found by its id."""
    models.delete_variable(tx, models.read_variable(tx, id))


@route("DELETE", "/variables/name/{name}", status=204)
def delete_variable_by_name(tx: Transaction, name: str) -> None:
    """Delete a variable, found by its name."""
    models.delete_variable(tx, models.read_variable_by_name(tx, name))
