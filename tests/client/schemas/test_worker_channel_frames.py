"""Frames of the worker channel: what is valid, and what breaks the protocol."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from prefect.client.schemas.worker_channel import (
    CLEANUP_DELIVERY_CAPABILITY,
    OPTIONAL_WORKER_CHANNEL_CAPABILITIES,
    REQUIRED_WORKER_CHANNEL_CAPABILITIES,
    SUPPORTED_WORKER_CHANNEL_CAPABILITIES,
    WORK_POOL_WORKER_CHANNEL_CONTRACT,
    WORKER_CHANNEL_CLOSE_POLICIES,
    WorkerChannelCloseReason,
    WorkerChannelProtocolError,
    WorkerHelloFrame,
    select_worker_channel_version,
    validate_worker_channel_frame,
)

ID = "00000000-0000-0000-0000-000000000005"
NOW = "2024-01-01T00:00:00Z"
REQUIRED = sorted(REQUIRED_WORKER_CHANNEL_CAPABILITIES)
POOL = {
    "id": ID,
    "name": "p",
    "type": "process",
    "base_job_template": {},
    "is_paused": False,
    "storage_configuration": {},
    "default_queue_id": ID,
}
SNAPSHOT = {"snapshot_sequence": 1, "reason": "initial", "work_pool": POOL}
CLEANUP = {"message_id": ID, "reservation_token": "t", "lease_expires_at": NOW, "delivery_count": 1}


def frame(type_: str, payload: dict[str, Any], **other: Any) -> dict[str, Any]:
    return {"type": type_, "id": ID, "sent_at": NOW, "payload": payload, **other}


def hello(**other: Any) -> dict[str, Any]:
    payload = {
        "consumer_id": ID,
        "worker_name": "w",
        "worker_type": "process",
        "heartbeat_interval_seconds": 30,
        "supported_channel_versions": ["work_pool_worker_channel.v1"],
        "requested_capabilities": REQUIRED,
    }
    return frame("worker.hello.v1", {**payload, **other})


def ready(**other: Any) -> dict[str, Any]:
    payload = {
        "selected_channel_version": "work_pool_worker_channel.v1",
        "worker_id": None,
        "consumer_id": ID,
        "effective_heartbeat_interval_seconds": 30,
        "accepted_capabilities": REQUIRED,
        "initial_snapshot": SNAPSHOT,
    }
    return frame("worker.ready.v1", {**payload, **other})


def result(**other: Any) -> dict[str, Any]:
    payload = {"request_frame_id": ID, "message_id": ID, "operation": "ack", "status": "accepted"}
    return frame("cleanup.operation_result.v1", {**payload, **other})


VALID = [
    hello(),
    hello(requested_capabilities=[*REQUIRED, "something.v9"]),
    hello(requested_capabilities=[*REQUIRED, CLEANUP_DELIVERY_CAPABILITY], handled_cleanup_kinds=["pending_claim_teardown.v1"]),
    ready(),
    ready(accepted_capabilities=[*REQUIRED, CLEANUP_DELIVERY_CAPABILITY], effective_max_cleanup_concurrency=1),
    frame("worker.heartbeat.v1", {"consumer_id": ID, "worker_name": "w", "heartbeat_interval_seconds": 30}),
    frame("work_pool.snapshot.v1", {**SNAPSHOT, "snapshot_sequence": 2}),
    frame("cleanup.message.v1", {**CLEANUP, "kind": "cancelling_timeout_teardown.v1", "target": {"flow_run_id": ID, "new": 1}}),
    frame("cleanup.message.v1", {**CLEANUP, "kind": "pending_claim_teardown.v1", "target": {"flow_run_id": ID, "claim_id": ID}}),
    frame("cleanup.ack.v1", {"message_id": ID, "reservation_token": "t"}),
    frame("cleanup.renew.v1", {"message_id": ID, "reservation_token": "t"}),
    frame("cleanup.release.v1", {"message_id": ID, "reservation_token": "t", "reason": "busy"}),
    result(),
    result(status="expired", reason="too late"),
    result(operation="renew", lease_expires_at=NOW),
]  # fmt: skip


@pytest.mark.parametrize("valid", VALID, ids=lambda each: each["type"])
def test_valid_frames_survive_the_wire(valid: dict[str, Any]):
    read = validate_worker_channel_frame(valid)
    assert read.type == valid["type"]
    assert validate_worker_channel_frame(read.model_dump(mode="json")) == read


@pytest.mark.parametrize(
    ("invalid", "message"),
    [
        (frame("worker.goodbye.v1", {}), "does not match any of the expected tags"),
        ("text", "valid dictionary"),
        ({**hello(), "extra": 1}, "Extra inputs"),
        (hello(extra=1), "Extra inputs"),
        (hello(worker_name=""), "at least 1 character"),
        (hello(supported_channel_versions=[]), "at least 1 item"),
        (hello(requested_capabilities=REQUIRED[:1]), "Missing required channel capabilities"),
        (hello(handled_cleanup_kinds=["pending_claim_teardown.v1"]), "requires `cleanup_delivery.v1`"),
        (ready(accepted_capabilities=REQUIRED[:1]), "Missing accepted required capabilities"),
        (ready(rejected_capabilities=REQUIRED[:1]), "both accepted and rejected"),
        (ready(effective_max_cleanup_concurrency=1), "must be 0 without"),
        (ready(accepted_capabilities=[*REQUIRED, CLEANUP_DELIVERY_CAPABILITY]), "greater than 0 with"),
        (ready(initial_snapshot={**SNAPSHOT, "snapshot_sequence": 2}), "sequence must be 1"),
        (frame("cleanup.message.v1", {**CLEANUP, "kind": "other", "target": {}}), "does not match any"),
        (frame("cleanup.message.v1", {**CLEANUP, "kind": "pending_claim_teardown.v1", "target": {"flow_run_id": ID}}), "claim_id"),
        (result(operation="renew"), "require `lease_expires_at`"),
        (result(lease_expires_at=NOW), "only valid for accepted renew"),
        (result(status="error"), "`reason` is required"),
    ],
)  # fmt: skip
def test_frames_that_break_the_protocol_are_refused(invalid: Any, message: str):
    with pytest.raises(ValidationError, match=message):
        validate_worker_channel_frame(invalid)


def test_models_are_frames_too():
    assert isinstance(validate_worker_channel_frame(WorkerHelloFrame(**hello())), WorkerHelloFrame)


def test_both_sides_choose_a_version():
    assert select_worker_channel_version(["v0", "work_pool_worker_channel.v1"]) == "work_pool_worker_channel.v1"
    with pytest.raises(WorkerChannelProtocolError, match="'v0'") as caught:
        select_worker_channel_version(["v0"])
    assert caught.value.close_reason is WorkerChannelCloseReason.UNSUPPORTED_VERSION


def test_every_reason_has_a_way_to_close():
    policies = {
        reason.value: (policy.websocket_code, policy.terminal, policy.retryable)
        for reason, policy in WORKER_CHANNEL_CLOSE_POLICIES.items()
    }
    assert policies == {
        "authentication_failed": (1008, True, False),
        "authorization_failed": (1008, True, False),
        "unsupported_version": (1008, True, False),
        "protocol_error": (1002, True, False),
        "heartbeat_persistence_failed": (1011, False, True),
        "transient_server_error": (1011, False, True),
    }


def test_the_contract_lists_all_capabilities():
    contract = WORK_POOL_WORKER_CHANNEL_CONTRACT
    assert set(contract.required_capabilities) == REQUIRED_WORKER_CHANNEL_CAPABILITIES
    assert set(contract.optional_capabilities) == OPTIONAL_WORKER_CHANNEL_CAPABILITIES
    assert (
        SUPPORTED_WORKER_CHANNEL_CAPABILITIES
        == REQUIRED_WORKER_CHANNEL_CAPABILITIES | OPTIONAL_WORKER_CHANNEL_CAPABILITIES
    )
