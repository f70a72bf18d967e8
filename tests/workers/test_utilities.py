"""Types of workers, installed here or known to the API."""

from __future__ import annotations

from tests.workers.conftest import Pool

from prefect.workers.base import BaseJobConfiguration, BaseWorker, BaseWorkerResult
from prefect.workers.utilities import (
    get_available_work_pool_types,
    get_default_base_job_template_for_infrastructure_type,
)


class Local(BaseWorker):
    type = "only-here"
    job_configuration = BaseJobConfiguration

    async def run(self, flow_run, configuration, task_status=None) -> BaseWorkerResult:
        raise NotImplementedError


async def test_types_of_this_process_and_those_that_the_api_knows_are_available(pool: Pool):
    types = await get_available_work_pool_types()

    assert {"only-here", "docker", "kubernetes"} <= set(types)
    assert types == sorted(types)


async def test_a_template_comes_from_the_class_where_it_is_installed(pool: Pool):
    template = await get_default_base_job_template_for_infrastructure_type("only-here")

    assert template == Local.get_default_base_job_template()


async def test_a_template_comes_from_the_api_where_the_package_is_missing(pool: Pool):
    template = await get_default_base_job_template_for_infrastructure_type("kubernetes")

    assert template is not None and "job_manifest" in template["job_configuration"]


async def test_an_unknown_type_has_no_template(pool: Pool):
    assert await get_default_base_job_template_for_infrastructure_type("unknown") is None
