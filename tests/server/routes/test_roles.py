"""Which role each route needs: what changes something is for operators, what concerns the server itself for admins."""

from __future__ import annotations

import pytest

from prefect.server.routes import all_routes
from prefect.server.schemas.access import Role

READS_WITH_POST = ("/filter", "/count", "/paginate", "/history", "/lateness", "/validate", "/concurrency_status")
OTHER_READS_WITH_POST = {
    "/events/count-by/{countable}",
    "/ui/flow_runs/count-task-runs",
    "/ui/flows/count-deployments",
    "/ui/flows/next-runs",
    "/ui/task_runs/dashboard/counts",
}


def test_admins_alone_look_after_the_server():
    assert {(route.method, route.path) for route in all_routes() if route.role is Role.ADMIN} == {
        ("GET", "/admin/settings"),
        ("PUT", "/admin/storage"),
        ("DELETE", "/admin/storage"),
        ("POST", "/api_keys/"),
        ("POST", "/api_keys/filter"),
        ("DELETE", "/api_keys/name/{name}"),
        ("POST", "/audit/filter"),
    }


def test_viewers_only_read():
    for route in all_routes():
        if route.role is Role.VIEWER and route.method != "GET":
            assert route.method == "POST" and not route.writes, route.path
            assert route.path.endswith(READS_WITH_POST) or route.path in OTHER_READS_WITH_POST, route.path


def test_whatever_is_read_is_for_viewers_but_the_server_s_own():
    for route in all_routes():
        if route.method == "GET" or not route.writes:
            assert route.role is not Role.OPERATOR, route.path


@pytest.mark.parametrize(
    ("role", "included"),
    [
        (Role.VIEWER, {Role.VIEWER}),
        (Role.OPERATOR, {Role.VIEWER, Role.OPERATOR}),
        (Role.ADMIN, {Role.VIEWER, Role.OPERATOR, Role.ADMIN}),
    ],
)
def test_each_role_may_do_what_those_before_it_may(role: Role, included: set[Role]):
    assert {each for each in Role if role.includes(each)} == included
