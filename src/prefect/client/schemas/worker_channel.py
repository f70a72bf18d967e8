"""The frames that workers and the server exchange on a worker channel.

A worker opens a websocket, authenticates, and says hello; the server answers that it is ready. From then on the worker
sends heartbeats, and the server sends the work pool whenever it changes, and infrastructure to clean up. Frames are
strict: an unknown key is an error of the protocol.
"""

# pyright: reportIncompatibleVariableOverride=false
# Each model narrows the key that tells it apart from the others; models are not changed after they are made.

from collections.abc import Iterable
from enum import Enum
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import ConfigDict, Field, TypeAdapter, model_validator
from typing_extensions import Self

from prefect.client.schemas._base import PrefectBaseModel
from prefect.client.schemas._work_pools import WorkPool, WorkPoolStorageConfiguration
from prefect.types import DateTime, NonNegativeInteger, PositiveInteger

__all__ = [
    "CANCELLING_TIMEOUT_TEARDOWN",
    "CLEANUP_DELIVERY_CAPABILITY",
    "OPTIONAL_WORKER_CHANNEL_CAPABILITIES",
    "PENDING_CLAIM_TEARDOWN",
    "REQUIRED_WORKER_CHANNEL_CAPABILITIES",
    "SUPPORTED_CLEANUP_KINDS",
    "SUPPORTED_WORKER_CHANNEL_CAPABILITIES",
    "WORKER_CHANNEL_CLOSE_POLICIES",
    "WORKER_CHANNEL_SUBPROTOCOL",
    "WORKER_HEARTBEAT_CAPABILITY",
    "WORK_POOL_SNAPSHOT_CAPABILITY",
    "WORK_POOL_WORKER_CHANNEL_CONTRACT",
    "WORK_POOL_WORKER_CHANNEL_ROUTE",
    "WORK_POOL_WORKER_CHANNEL_VERSION",
    "CancellingTimeoutCleanupMessagePayload",
    "CancellingTimeoutTeardownTarget",
    "CleanupAckFrame",
    "CleanupKind",
    "CleanupMessageFrame",
    "CleanupMessagePayload",
    "CleanupOperationPayload",
    "CleanupOperationResultFrame",
    "CleanupOperationResultPayload",
    "CleanupOperationStatus",
    "CleanupReleaseFrame",
    "CleanupReleasePayload",
    "CleanupRenewFrame",
    "PendingClaimCleanupMessagePayload",
    "PendingClaimTeardownTarget",
    "ResolvedWorkQueue",
    "WorkPoolSnapshotFrame",
    "WorkPoolSnapshotPayload",
    "WorkerChannelApplicationFrame",
    "WorkerChannelApplicationFrameAdapter",
    "WorkerChannelAuthRequest",
    "WorkerChannelAuthSuccess",
    "WorkerChannelCapability",
    "WorkerChannelClosePolicy",
    "WorkerChannelCloseReason",
    "WorkerChannelContract",
    "WorkerChannelFrame",
    "WorkerChannelFrameType",
    "WorkerChannelProtocolError",
    "WorkerChannelVersion",
    "WorkerHeartbeatFrame",
    "WorkerHeartbeatPayload",
    "WorkerHelloFrame",
    "WorkerHelloPayload",
    "WorkerReadyFrame",
    "WorkerReadyPayload",
    "select_worker_channel_version",
    "validate_worker_channel_frame",
]

# -- what both sides agree on ----------------------------------------------------------------------------------------

WORK_POOL_WORKER_CHANNEL_ROUTE = "/work_pools/{work_pool_name}/workers/connect"
WORK_POOL_WORKER_CHANNEL_VERSION = "work_pool_worker_channel.v1"
WORKER_CHANNEL_SUBPROTOCOL = "prefect"

WORKER_HEARTBEAT_CAPABILITY = "worker_heartbeat.v1"
WORK_POOL_SNAPSHOT_CAPABILITY = "work_pool_snapshot.v1"
CLEANUP_DELIVERY_CAPABILITY = "cleanup_delivery.v1"

REQUIRED_WORKER_CHANNEL_CAPABILITIES = frozenset({WORKER_HEARTBEAT_CAPABILITY, WORK_POOL_SNAPSHOT_CAPABILITY})
OPTIONAL_WORKER_CHANNEL_CAPABILITIES = frozenset({CLEANUP_DELIVERY_CAPABILITY})
SUPPORTED_WORKER_CHANNEL_CAPABILITIES = REQUIRED_WORKER_CHANNEL_CAPABILITIES | OPTIONAL_WORKER_CHANNEL_CAPABILITIES

CANCELLING_TIMEOUT_TEARDOWN = "cancelling_timeout_teardown.v1"
PENDING_CLAIM_TEARDOWN = "pending_claim_teardown.v1"
SUPPORTED_CLEANUP_KINDS = (CANCELLING_TIMEOUT_TEARDOWN, PENDING_CLAIM_TEARDOWN)

WorkerChannelVersion = Literal["work_pool_worker_channel.v1"]
WorkerChannelCapability = Literal["worker_heartbeat.v1", "work_pool_snapshot.v1", "cleanup_delivery.v1"]
WorkerChannelFrameType = Literal[
    "worker.hello.v1",
    "worker.ready.v1",
    "worker.heartbeat.v1",
    "work_pool.snapshot.v1",
    "cleanup.message.v1",
    "cleanup.ack.v1",
    "cleanup.release.v1",
    "cleanup.renew.v1",
    "cleanup.operation_result.v1",
]
CleanupKind = Literal["cancelling_timeout_teardown.v1", "pending_claim_teardown.v1"]
CleanupOperation = Literal["ack", "release", "renew"]
CleanupOperationStatus = Literal[
    "accepted",
    "not_current",
    "not_found",
    "expired",
    "invalid_token",
    "unauthorized",
    "dead_lettered",
    "error",
]


class WorkerChannelContract(PrefectBaseModel):
    """What a worker channel of this version is, in one object that both sides can compare."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    route: Literal["/work_pools/{work_pool_name}/workers/connect"]
    version: WorkerChannelVersion
    websocket_subprotocol: Literal["prefect"]
    auth_setup_message_type: Literal["auth"]
    auth_success_message_type: Literal["auth_success"]
    first_application_frame_type: Literal["worker.hello.v1"]
    required_capabilities: tuple[WorkerChannelCapability, ...]
    optional_capabilities: tuple[WorkerChannelCapability, ...]
    supported_cleanup_kinds: tuple[CleanupKind, ...]
    scheduled_flow_run_acquisition: Literal["rest"]
    worker_startup_rollout: Literal["opportunistic_without_user_setting"]
    worker_side_cancellation_observation: Literal["event_subscription"]
    cleanup_delivery_guarantee: Literal["at_least_once_one_active_reservation_per_message"]
    cleanup_delivery_authority: Literal["reservation_token"]
    cloud_authorization_internals: Literal["excluded_from_shared_contract"]


WORK_POOL_WORKER_CHANNEL_CONTRACT = WorkerChannelContract(
    route=WORK_POOL_WORKER_CHANNEL_ROUTE,
    version=WORK_POOL_WORKER_CHANNEL_VERSION,
    websocket_subprotocol=WORKER_CHANNEL_SUBPROTOCOL,
    auth_setup_message_type="auth",
    auth_success_message_type="auth_success",
    first_application_frame_type="worker.hello.v1",
    required_capabilities=(WORK_POOL_SNAPSHOT_CAPABILITY, WORKER_HEARTBEAT_CAPABILITY),
    optional_capabilities=(CLEANUP_DELIVERY_CAPABILITY,),
    supported_cleanup_kinds=SUPPORTED_CLEANUP_KINDS,
    scheduled_flow_run_acquisition="rest",
    worker_startup_rollout="opportunistic_without_user_setting",
    worker_side_cancellation_observation="event_subscription",
    cleanup_delivery_guarantee="at_least_once_one_active_reservation_per_message",
    cleanup_delivery_authority="reservation_token",
    cloud_authorization_internals="excluded_from_shared_contract",
)

# -- how a channel ends ----------------------------------------------------------------------------------------------


class WorkerChannelCloseReason(str, Enum):
    """Why a channel was closed."""

    AUTHENTICATION_FAILED = "authentication_failed"
    AUTHORIZATION_FAILED = "authorization_failed"
    UNSUPPORTED_VERSION = "unsupported_version"
    PROTOCOL_ERROR = "protocol_error"
    HEARTBEAT_PERSISTENCE_FAILED = "heartbeat_persistence_failed"
    TRANSIENT_SERVER_ERROR = "transient_server_error"

    __str__ = Enum.__str__


class WorkerChannelClosePolicy(PrefectBaseModel):
    """How a channel is closed for a reason, and whether the worker may come back."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    reason: WorkerChannelCloseReason
    websocket_code: int
    terminal: bool
    retryable: bool


def _policy(reason: WorkerChannelCloseReason, code: int) -> WorkerChannelClosePolicy:
    retryable = code == 1011  # an error of the server, which passes
    return WorkerChannelClosePolicy(reason=reason, websocket_code=code, terminal=not retryable, retryable=retryable)


WORKER_CHANNEL_CLOSE_POLICIES = {
    reason: _policy(reason, code)
    for reason, code in (
        (WorkerChannelCloseReason.AUTHENTICATION_FAILED, 1008),
        (WorkerChannelCloseReason.AUTHORIZATION_FAILED, 1008),
        (WorkerChannelCloseReason.UNSUPPORTED_VERSION, 1008),
        (WorkerChannelCloseReason.PROTOCOL_ERROR, 1002),
        (WorkerChannelCloseReason.HEARTBEAT_PERSISTENCE_FAILED, 1011),
        (WorkerChannelCloseReason.TRANSIENT_SERVER_ERROR, 1011),
    )
}


class WorkerChannelProtocolError(ValueError):
    """The other side does not keep to the protocol; `close_reason` says how to end the channel."""

    def __init__(self, close_reason: WorkerChannelCloseReason, message: str) -> None:
        super().__init__(message)
        self.close_reason = close_reason


# -- frames ----------------------------------------------------------------------------------------------------------

_Text = Annotated[str, Field(min_length=1)]


class _StrictProtocolModel(PrefectBaseModel):
    model_config = ConfigDict(extra="forbid")


class WorkerChannelAuthRequest(_StrictProtocolModel):
    """The first message of a worker."""

    type: Literal["auth"]
    token: str | None = None


class WorkerChannelAuthSuccess(_StrictProtocolModel):
    """The answer to a worker that may go on."""

    type: Literal["auth_success"]


class WorkerChannelFrame(_StrictProtocolModel):
    """What all frames have in common."""

    type: WorkerChannelFrameType
    id: UUID
    sent_at: DateTime


class WorkerHelloPayload(_StrictProtocolModel):
    """Who a worker is, and what it can do.

    Attributes:
        consumer_id: Tells the processes apart that run under one worker name.
        supported_channel_versions: Versions of the channel, one of which the server has to know.
        requested_capabilities: What the worker wants to use; unknown ones are refused, not errors.
        work_queue_names: The queues that it serves; all of the pool, if there are none.
    """

    consumer_id: UUID
    worker_name: _Text
    worker_type: _Text
    heartbeat_interval_seconds: PositiveInteger
    supported_channel_versions: Annotated[list[str], Field(min_length=1)]
    requested_capabilities: Annotated[list[str], Field(min_length=1)]
    work_queue_names: list[str] = Field(default_factory=list)
    handled_cleanup_kinds: list[CleanupKind] = Field(default_factory=list)
    max_cleanup_concurrency: NonNegativeInteger = 0
    create_pool_if_not_found: bool = False
    default_base_job_template: dict[str, Any] = Field(default_factory=dict)
    worker_metadata: dict[str, Any] | None = None

    @model_validator(mode="after")
    def _check_capabilities(self) -> Self:
        missing = REQUIRED_WORKER_CHANNEL_CAPABILITIES - set(self.requested_capabilities)
        if missing:
            raise ValueError(f"Missing required channel capabilities: {sorted(missing)}")
        if self.handled_cleanup_kinds and CLEANUP_DELIVERY_CAPABILITY not in self.requested_capabilities:
            raise ValueError(f"`handled_cleanup_kinds` requires `{CLEANUP_DELIVERY_CAPABILITY}`")
        return self


class WorkerHelloFrame(WorkerChannelFrame):
    """A worker introduces itself; the first frame after authentication."""

    type: Literal["worker.hello.v1"]
    payload: WorkerHelloPayload


class ResolvedWorkQueue(_StrictProtocolModel):
    """A queue that the worker serves."""

    id: UUID
    name: _Text


class WorkPoolSnapshot(WorkPool):
    """A work pool, of which nothing that workers need is left out."""

    id: UUID = Field(...)
    base_job_template: dict[str, Any] = Field(...)
    is_paused: bool = Field(...)
    storage_configuration: WorkPoolStorageConfiguration = Field(...)
    default_queue_id: UUID = Field(...)


class WorkPoolSnapshotPayload(_StrictProtocolModel):
    """How the work pool is now.

    Attributes:
        snapshot_sequence: Grows with each snapshot of a channel, from 1 on.
        reason: Why it was sent.
    """

    snapshot_sequence: PositiveInteger
    reason: _Text
    work_pool: WorkPoolSnapshot


class WorkerReadyPayload(_StrictProtocolModel):
    """What the server makes of a worker's hello."""

    selected_channel_version: WorkerChannelVersion
    worker_id: UUID | None
    consumer_id: UUID
    accepted_capabilities: Annotated[list[WorkerChannelCapability], Field(min_length=1)]
    rejected_capabilities: list[str] = Field(default_factory=list)
    effective_heartbeat_interval_seconds: PositiveInteger
    effective_max_cleanup_concurrency: NonNegativeInteger = 0
    resolved_work_queues: list[ResolvedWorkQueue] = Field(default_factory=list)
    initial_snapshot: WorkPoolSnapshotPayload

    @model_validator(mode="after")
    def _check_capabilities(self) -> Self:
        accepted = set(self.accepted_capabilities)
        missing = REQUIRED_WORKER_CHANNEL_CAPABILITIES - accepted
        if missing:
            raise ValueError(f"Missing accepted required capabilities: {sorted(missing)}")
        both = accepted & set(self.rejected_capabilities)
        if both:
            raise ValueError(f"Capabilities cannot be both accepted and rejected: {sorted(both)}")
        delivers = CLEANUP_DELIVERY_CAPABILITY in accepted
        if delivers is not (self.effective_max_cleanup_concurrency > 0):
            expected = "greater than 0 with" if delivers else "0 without"
            raise ValueError(
                f"`effective_max_cleanup_concurrency` must be {expected} `{CLEANUP_DELIVERY_CAPABILITY}`,"
                f" got {self.effective_max_cleanup_concurrency}"
            )
        if self.initial_snapshot.snapshot_sequence != 1:
            raise ValueError(
                f"`worker.ready.v1` initial snapshot sequence must be 1, got {self.initial_snapshot.snapshot_sequence}"
            )
        return self


class WorkerReadyFrame(WorkerChannelFrame):
    """The server takes a worker on."""

    type: Literal["worker.ready.v1"]
    payload: WorkerReadyPayload


class WorkerHeartbeatPayload(_StrictProtocolModel):
    """That a worker is there."""

    consumer_id: UUID
    worker_name: _Text
    heartbeat_interval_seconds: PositiveInteger


class WorkerHeartbeatFrame(WorkerChannelFrame):
    """A worker says that it is there."""

    type: Literal["worker.heartbeat.v1"]
    payload: WorkerHeartbeatPayload


class WorkPoolSnapshotFrame(WorkerChannelFrame):
    """The server tells that the work pool has changed."""

    type: Literal["work_pool.snapshot.v1"]
    payload: WorkPoolSnapshotPayload


# -- cleaning up -----------------------------------------------------------------------------------------------------


class CancellingTimeoutTeardownTarget(PrefectBaseModel):
    """The infrastructure of a run that was to be cancelled and did not end by itself."""

    model_config = ConfigDict(extra="allow")

    flow_run_id: UUID
    infrastructure_pid: str | None = None


class PendingClaimTeardownTarget(PrefectBaseModel):
    """The infrastructure of a run that was claimed and did not start."""

    model_config = ConfigDict(extra="allow")

    flow_run_id: UUID
    claim_id: UUID
    execution_id: UUID | None = None
    infrastructure_pid: str | None = None


class _CleanupMessagePayloadBase(_StrictProtocolModel):
    message_id: UUID
    reservation_token: _Text  # whoever has it may answer, until the lease expires
    lease_expires_at: DateTime
    delivery_count: PositiveInteger
    work_queue_id: UUID | None = None
    data: dict[str, Any] = Field(default_factory=dict)


class CancellingTimeoutCleanupMessagePayload(_CleanupMessagePayloadBase):
    """Infrastructure to tear down because its run was cancelled."""

    kind: Literal["cancelling_timeout_teardown.v1"]
    target: CancellingTimeoutTeardownTarget


class PendingClaimCleanupMessagePayload(_CleanupMessagePayloadBase):
    """Infrastructure to tear down because its run did not start."""

    kind: Literal["pending_claim_teardown.v1"]
    target: PendingClaimTeardownTarget


CleanupMessagePayload = Annotated[
    PendingClaimCleanupMessagePayload | CancellingTimeoutCleanupMessagePayload, Field(discriminator="kind")
]


class CleanupMessageFrame(WorkerChannelFrame):
    """The server hands a worker something to clean up. It may come more than once."""

    type: Literal["cleanup.message.v1"]
    payload: CleanupMessagePayload


class CleanupOperationPayload(_StrictProtocolModel):
    """Which cleanup a worker speaks of, and that it may."""

    message_id: UUID
    reservation_token: _Text


class CleanupReleasePayload(CleanupOperationPayload):
    """Which cleanup a worker gives back, and why."""

    reason: _Text


class CleanupAckFrame(WorkerChannelFrame):
    """A worker has cleaned up."""

    type: Literal["cleanup.ack.v1"]
    payload: CleanupOperationPayload


class CleanupReleaseFrame(WorkerChannelFrame):
    """A worker gives a cleanup back, for others to do."""

    type: Literal["cleanup.release.v1"]
    payload: CleanupReleasePayload


class CleanupRenewFrame(WorkerChannelFrame):
    """A worker needs more time for a cleanup."""

    type: Literal["cleanup.renew.v1"]
    payload: CleanupOperationPayload


class CleanupOperationResultPayload(_StrictProtocolModel):
    """What the server makes of what a worker said about a cleanup."""

    request_frame_id: UUID
    message_id: UUID
    operation: CleanupOperation
    status: CleanupOperationStatus
    reason: str | None = None
    detail: str | None = None
    lease_expires_at: DateTime | None = None

    @model_validator(mode="after")
    def _check_result(self) -> Self:
        renewed = self.operation == "renew" and self.status == "accepted"
        if renewed and self.lease_expires_at is None:
            raise ValueError("Accepted renew results require `lease_expires_at`")
        if not renewed and self.lease_expires_at is not None:
            raise ValueError("`lease_expires_at` is only valid for accepted renew results")
        if self.status != "accepted" and not self.reason:
            raise ValueError(f"`reason` is required for non-accepted results, got status {self.status!r} without one")
        return self


class CleanupOperationResultFrame(WorkerChannelFrame):
    """The server answers what a worker said about a cleanup."""

    type: Literal["cleanup.operation_result.v1"]
    payload: CleanupOperationResultPayload


# -- reading ---------------------------------------------------------------------------------------------------------

WorkerChannelApplicationFrame = Annotated[
    WorkerHelloFrame
    | WorkerReadyFrame
    | WorkerHeartbeatFrame
    | WorkPoolSnapshotFrame
    | CleanupMessageFrame
    | CleanupAckFrame
    | CleanupReleaseFrame
    | CleanupRenewFrame
    | CleanupOperationResultFrame,
    Field(discriminator="type"),
]

WorkerChannelApplicationFrameAdapter: TypeAdapter[WorkerChannelApplicationFrame] = TypeAdapter(
    WorkerChannelApplicationFrame, config=ConfigDict(defer_build=True)
)


def validate_worker_channel_frame(frame: Any) -> WorkerChannelApplicationFrame:
    """Read a frame of any type.

    Raises:
        pydantic.ValidationError: The object is no frame of this version.
    """
    return WorkerChannelApplicationFrameAdapter.validate_python(frame)


def select_worker_channel_version(supported_versions: Iterable[str]) -> WorkerChannelVersion:
    """Choose the version in which both sides speak.

    Raises:
        WorkerChannelProtocolError: The other side supports none that this one knows.
    """
    offered = list(supported_versions)
    if WORK_POOL_WORKER_CHANNEL_VERSION in offered:
        return WORK_POOL_WORKER_CHANNEL_VERSION
    raise WorkerChannelProtocolError(
        WorkerChannelCloseReason.UNSUPPORTED_VERSION,
        f"No mutually supported worker channel version: offered are {offered},"
        f" known is {WORK_POOL_WORKER_CHANNEL_VERSION!r}.",
    )
