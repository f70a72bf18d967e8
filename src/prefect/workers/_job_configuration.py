"""What infrastructure for one run is to be like: the fields that all types of workers share, and how they are filled."""

from __future__ import annotations

from datetime import timezone
from typing import TYPE_CHECKING, Any, Literal
from uuid import UUID

from pydantic import BaseModel, Field, PrivateAttr, field_validator
from pydantic.json_schema import GenerateJsonSchema
from typing_extensions import Self

from prefect._version import __version__
from prefect.client.schemas.objects import Flow, FlowRun, WorkPool
from prefect.client.schemas.responses import DeploymentResponse
from prefect.events.related import object_as_related_resource, tags_as_related_resources
from prefect.events.schemas.events import RelatedResource
from prefect.settings import get_current_settings
from prefect.utilities.templating import resolve_block_document_references, resolve_variables
from prefect.workers._templates import fill_job_configuration, fill_name, merge_job_variables

if TYPE_CHECKING:
    from prefect.client.orchestration import PrefectClient

_COMMAND = "prefect flow-run execute"
_PUBLIC_VERSION = __version__.partition("+")[0]
"""Labels of infrastructure may not hold the `+` of a local version."""


class BaseJobConfiguration(BaseModel):
    """What all jobs have: a command, an environment, labels and a name. Types of workers add fields of their own.

    A field whose template differs from `{{ field }}` has `json_schema_extra={"template": …}`.
    """

    command: str | None = Field(
        default=None, description="The command that runs the flow. Leave it empty to let the worker choose."
    )
    env: dict[str, str | None] = Field(
        default_factory=dict,
        title="Environment Variables",
        description="Environment variables for the flow run. One that is null is not set.",
    )
    labels: dict[str, str] = Field(
        default_factory=dict, description="Labels for what the worker creates with this configuration."
    )
    name: str | None = Field(
        default=None,
        description=(
            "A name for what the worker creates with this configuration. It may hold {{ ctx.flow.* }} and "
            "{{ ctx.flow_run.* }}."
        ),
    )

    _related_objects: dict[str, Any] = PrivateAttr(default_factory=dict)
    """By their role in events: the deployment, the flow, and the flow run; None for what there is not."""

    @property
    def is_using_a_runner(self) -> bool:
        """Whether a runner stands between the infrastructure and the flow, which tells how the run ended."""
        return self.command is not None and _COMMAND in self.command

    @field_validator("command")
    @classmethod
    def _coerce_command(cls, value: str | None) -> str | None:
        return value or None

    @field_validator("env", mode="before")
    @classmethod
    def _coerce_env(cls, v: dict[str, Any]) -> dict[str, str | None]:
        if not isinstance(v, dict):
            raise ValueError(f"The environment of a job is a mapping of names to values, not {v!r}.")
        return {name: None if value is None else str(value) for name, value in v.items()}

    # -- templates -----------------------------------------------------------------------------------------------

    @classmethod
    def json_template(cls) -> dict[str, Any]:
        """The template of these fields: each has its own, or is one variable of the same name."""
        template: dict[str, Any] = {}
        for name, about in cls.model_json_schema()["properties"].items():
            template[name] = about.get("template") or "{{ " + name + " }}"
        return template

    @classmethod
    async def from_template_and_values(
        cls, base_job_template: dict[str, Any], values: dict[str, Any], client: PrefectClient | None = None
    ) -> Self:
        """Make a configuration of a work pool's template and job variables.

        Args:
            base_job_template: The template.
            values: Job variables of a deployment and its run. They come before the defaults of the template; the keys
                of `env` are merged through all layers.
            client: Reads the blocks and variables that the values refer to.

        Raises:
            ValueError: The template lacks a part, or the values do not fit the fields.
            ObjectNotFound: There is no such block.
        """
        filled = fill_job_configuration(base_job_template, values)
        filled = await resolve_block_document_references(filled, client=client)
        return cls(**await resolve_variables(filled, client=client))

    @classmethod
    async def resolve_for_flow_run(
        cls,
        flow_run: FlowRun,
        *,
        client: PrefectClient,
        work_pool: WorkPool,
        worker_name: str,
        worker_id: UUID | None = None,
        deployment: DeploymentResponse | None = None,
    ) -> Self:
        """Make the configuration of one run, ready to be used.

        Args:
            flow_run: The run.
            client: Reads what is not given.
            work_pool: The pool whose template applies.
            worker_name: The worker that starts the run.
            worker_id: Its id, where it has one.
            deployment: The run's deployment; it is read by default, if the run has one.
        """
        if deployment is None and flow_run.deployment_id is not None:
            deployment = await client.read_deployment(flow_run.deployment_id)
        flow = await client.read_flow(flow_run.flow_id)
        weaker = (deployment.job_variables if deployment is not None else None) or {}
        values = merge_job_variables(weaker, flow_run.job_variables or {})
        configuration = await cls.from_template_and_values(work_pool.base_job_template, values, client=client)
        configuration.prepare_for_flow_run(
            flow_run,
            deployment=deployment,
            flow=flow,
            work_pool=work_pool,
            worker_name=worker_name,
            worker_id=worker_id,
        )
        return configuration

    # -- preparing -----------------------------------------------------------------------------------------------

    def prepare_for_flow_run(
        self,
        flow_run: FlowRun,
        deployment: DeploymentResponse | None = None,
        flow: Flow | None = None,
        work_pool: WorkPool | None = None,
        worker_name: str | None = None,
        worker_id: UUID | None = None,
    ) -> None:
        """Complete this configuration for one run: its environment, labels, name and command.

        What it has already comes before what is added; a variable that is None is removed.
        """
        self._related_objects = {"deployment": deployment, "flow": flow, "flow-run": flow_run}
        env = {
            **self._base_environment(),
            **self._base_flow_run_environment(flow_run),
            **self._base_attribution_environment(
                flow_run=flow_run, deployment=deployment, flow=flow, worker_id=worker_id, worker_name=worker_name
            ),
            **self.env,
        }
        self.env = {name: value for name, value in env.items() if value is not None}
        self.labels = {
            **self._base_flow_run_labels(flow_run),
            **self._base_work_pool_labels(work_pool),
            **self._base_worker_name_label(worker_name),
            **self._base_flow_labels(flow),
            **self._base_deployment_labels(deployment),
            **self.labels,
        }
        self.name = (self.name and fill_name(self.name, flow, flow_run)) or flow_run.name
        self.command = self.command or self._base_flow_run_command()

    @staticmethod
    def _base_flow_run_command() -> str:
        return _COMMAND

    @classmethod
    def _base_environment(cls) -> dict[str, str]:
        return get_current_settings().to_environment_variables(exclude_unset=True)

    @staticmethod
    def _base_flow_run_environment(flow_run: FlowRun | None) -> dict[str, str]:
        return {} if flow_run is None else {"PREFECT__FLOW_RUN_ID": str(flow_run.id)}

    @staticmethod
    def _base_attribution_environment(
        flow_run: FlowRun | None = None,
        deployment: DeploymentResponse | None = None,
        flow: Flow | None = None,
        worker_id: UUID | None = None,
        worker_name: str | None = None,
    ) -> dict[str, str]:
        known = {
            "PREFECT__WORKER_ID": worker_id,
            "PREFECT__WORKER_NAME": worker_name,
            "PREFECT__FLOW_ID": flow_run.flow_id if flow_run is not None else None,
            "PREFECT__FLOW_NAME": flow.name if flow is not None else None,
            "PREFECT__DEPLOYMENT_ID": flow_run.deployment_id if flow_run is not None else None,
            "PREFECT__DEPLOYMENT_NAME": deployment.name if deployment is not None else None,
        }
        return {name: str(value) for name, value in known.items() if value}

    @staticmethod
    def _base_flow_run_labels(flow_run: FlowRun) -> dict[str, str]:
        return {
            "prefect.io/flow-run-id": str(flow_run.id),
            "prefect.io/flow-run-name": flow_run.name,
            "prefect.io/version": _PUBLIC_VERSION,
        }

    @staticmethod
    def _base_work_pool_labels(work_pool: WorkPool | None) -> dict[str, str]:
        if work_pool is None:
            return {}
        return {"prefect.io/work-pool-name": work_pool.name, "prefect.io/work-pool-id": str(work_pool.id)}

    @staticmethod
    def _base_worker_name_label(worker_name: str | None) -> dict[str, str]:
        return {} if worker_name is None else {"prefect.io/worker-name": worker_name}

    @staticmethod
    def _base_flow_labels(flow: Flow | None) -> dict[str, str]:
        if flow is None:
            return {}
        return {"prefect.io/flow-id": str(flow.id), "prefect.io/flow-name": flow.name}

    @staticmethod
    def _base_deployment_labels(deployment: DeploymentResponse | None) -> dict[str, str]:
        if deployment is None:
            return {}
        labels = {"prefect.io/deployment-id": str(deployment.id), "prefect.io/deployment-name": deployment.name}
        if deployment.updated is not None:
            labels["prefect.io/deployment-updated"] = deployment.updated.astimezone(timezone.utc).isoformat()
        return labels

    def _related_resources(self) -> list[RelatedResource]:
        """What an event about this job concerns: the objects that it was prepared for, and their tags."""
        related = [
            object_as_related_resource(kind=role, role=role, object=thing)
            for role, thing in self._related_objects.items()
            if thing is not None
        ]
        tags = {tag for thing in self._related_objects.values() if thing is not None for tag in thing.tags or ()}
        return related + tags_as_related_resources(tags)


class BaseVariables(BaseModel):
    """The job variables that deployments may set for all types of workers; types add their own."""

    name: str | None = Field(default=None, description="A name for what the worker creates.")
    env: dict[str, str | None] = Field(
        default_factory=dict,
        title="Environment Variables",
        description="Environment variables for the flow run. One that is null is not set.",
    )
    labels: dict[str, str] = Field(default_factory=dict, description="Labels for what the worker creates.")
    command: str | None = Field(
        default=None, description="The command that runs the flow. Leave it empty to let the worker choose."
    )

    @classmethod
    def model_json_schema(  # type: ignore[override]
        cls,
        by_alias: bool = True,
        ref_template: str = "#/definitions/{model}",
        schema_generator: type[GenerateJsonSchema] = GenerateJsonSchema,
        mode: Literal["validation", "serialization"] = "validation",
        *,
        union_format: Literal["any_of", "primitive_type_array"] = "any_of",
    ) -> dict[str, Any]:
        """The schema as work pools hold it: what it refers to stands under `definitions`."""
        # Older releases of pydantic know only the default.
        more: dict[str, Any] = {} if union_format == "any_of" else {"union_format": union_format}
        schema = super().model_json_schema(by_alias, ref_template, schema_generator, mode, **more)
        if "$defs" in schema:
            schema["definitions"] = schema.pop("$defs")
        schema.pop("additionalProperties", None)
        return schema
