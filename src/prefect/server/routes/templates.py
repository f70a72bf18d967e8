"""The route that checks templates."""

from __future__ import annotations

from typing import Any

from prefect.server.database.store import Transaction
from prefect.server.routes._table import Reply, Whole, route
from prefect.utilities._sandboxed_templates import TemplateProblem, check_syntax


@route("POST", "/templates/validate", also=(204,), tags=("Automations",), writes=False)
def validate_template(tx: Transaction, template: Whole[str] = "") -> Reply[None]:
    """Check a template."""
    return validated_template(template)


def validated_template(template: str) -> Reply[Any]:
    """204 for a template that can be rendered; else 422, with the line of the first error."""
    try:
        check_syntax(template)
    except TemplateProblem as problem:
        return Reply(422, {"error": {"line": problem.line, "message": str(problem), "source": template}})
    return Reply(204)
