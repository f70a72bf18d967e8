"""Variables: named JSON values that deployments and flows read."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

from prefect.client.schemas.actions import VariableCreate, VariableUpdate
from prefect.client.schemas.filters import VariableFilter
from prefect.client.schemas.objects import Variable
from prefect.client.schemas.sorting import VariableSort
from prefect.server.database.filters.variables import variable_clause
from prefect.server.database.store import Transaction
from prefect.server.models._rows import decode_json, dumps
from prefect.server.models._statements import count_rows, delete_row, update_row
from prefect.server.models.errors import Conflict, Invalid, NotFound
from prefect.server.models.events import record_event

_COLUMNS = "id, created, updated, name, value, tags"

_ORDER = {
    VariableSort.CREATED_DESC: "created DESC, id",
    VariableSort.UPDATED_DESC: "updated DESC, id",
    VariableSort.NAME_DESC: "name DESC",
    VariableSort.NAME_ASC: "name ASC",
}


def create_variable(tx: Transaction, variable: VariableCreate) -> Variable:
    """Store a new variable.

    Raises:
        Conflict: There is one of this name.
    """
    created = Variable(
        id=uuid4(), created=tx.now, updated=tx.now, name=variable.name, value=variable.value, tags=variable.tags or []
    )
    stored = tx.execute(
        f"INSERT INTO variable ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (name) DO NOTHING",
        (created.id, tx.now, tx.now, created.name, dumps(created.value), dumps(created.tags)),
    )
    if not stored:
        raise Conflict(_taken(variable.name))
    _record(tx, "created", created)
    return created


def read_variable(tx: Transaction, id: UUID) -> Variable:
    """The variable of an id.

    Raises:
        NotFound: There is none.
    """
    return _found(tx.fetch_one(f"SELECT {_COLUMNS} FROM variable WHERE id = ?", (id,)), id)


def read_variable_by_name(tx: Transaction, name: str) -> Variable:
    """The variable of a name.

    Raises:
        NotFound: There is none.
    """
    return _found(tx.fetch_one(f"SELECT {_COLUMNS} FROM variable WHERE name = ?", (name,)), name)


def read_variables(
    tx: Transaction, wanted: VariableFilter | None, sort: VariableSort, limit: int, offset: int
) -> list[Variable]:
    """The variables that meet a filter."""
    where = variable_clause(tx.dialect, wanted)
    rows = tx.fetch_all(
        f"SELECT {_COLUMNS} FROM variable WHERE {where.sql} ORDER BY {_ORDER[sort]} LIMIT ? OFFSET ?",
        (*where.params, limit, offset),
    )
    return [_variable(row) for row in rows]


def count_variables(tx: Transaction, wanted: VariableFilter | None) -> int:
    """How many variables meet a filter."""
    where = variable_clause(tx.dialect, wanted)
    return count_rows(tx, f"variable WHERE {where.sql}", where.params)


def update_variable(tx: Transaction, current: Variable, changes: VariableUpdate) -> None:
    """Change those fields of a variable that the request sets.

    Raises:
        Invalid: Name or tags are set to null.
        Conflict: Another variable has the new name.
    """
    values: dict[str, Any] = {name: getattr(changes, name) for name in changes.model_fields_set}
    if not values:
        return
    if empty := sorted(name for name in ("name", "tags") if name in values and values[name] is None):
        raise Invalid(
            f"Cannot set {empty[0]!r} of the variable {current.name!r} to null; leave the key out to keep it."
        )
    renamed = values.get("name", current.name)
    if renamed != current.name and tx.fetch_one("SELECT 1 FROM variable WHERE name = ?", (renamed,)) is not None:
        raise Conflict(_taken(renamed))
    update_row(
        tx,
        "variable",
        current.id,
        {name: value if name == "name" else dumps(value) for name, value in values.items()},
    )
    _record(tx, "updated", current.model_copy(update=values))


def delete_variable(tx: Transaction, variable: Variable) -> None:
    """Delete a variable."""
    if delete_row(tx, "variable", variable.id):
        _record(tx, "deleted", variable)


def _taken(name: str) -> str:
    return f"A variable with the name {name!r} exists already. Update that one, or choose another name."


def _found(row: Any, key: UUID | str) -> Variable:
    if row is None:
        raise NotFound(f"Variable {str(key)!r} not found.")
    return _variable(row)


def _variable(row: Any) -> Variable:
    return Variable.model_validate(decode_json(row, ("value", "tags")))


def _record(tx: Transaction, what: str, variable: Variable) -> None:
    record_event(
        tx,
        f"prefect.variable.{what}",
        {"prefect.resource.id": f"prefect.variable.{variable.id}", "prefect.resource.name": variable.name},
        payload={"name": variable.name, "value": variable.value, "tags": variable.tags},
    )
