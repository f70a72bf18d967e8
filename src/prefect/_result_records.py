"""Results together with what is known of how and where they are stored."""

from __future__ import annotations

import threading
from collections import OrderedDict
from datetime import datetime, timezone
from typing import Any, Generic, TypeVar
from uuid import UUID

import orjson
from pydantic import BaseModel, SerializeAsAny, field_validator

from prefect._version import __version__
from prefect.exceptions import SerializationError
from prefect.serializers import PickleSerializer, Serializer, UnknownSerializer
from prefect.types import DateTime
from prefect.utilities.dispatch import lookup_type

R = TypeVar("R")

CACHE_SIZE = 1000
"""How many records a store keeps in memory."""


class ResultRecordMetadata(BaseModel):
    """How and where a result is stored.

    Attributes:
        storage_key: The key in the storage; the absolute path for local storage that is not a saved block.
        expiration: From when on the result may not serve as a cache any more.
        serializer: What turned the result into bytes.
        prefect_version: The version that stored it.
        storage_block_id: The storage, if it is a saved block.
    """

    storage_key: str | None = None
    expiration: DateTime | None = None
    serializer: SerializeAsAny[Serializer[Any]]
    prefect_version: str = __version__
    storage_block_id: UUID | None = None

    @field_validator("serializer", mode="before")
    @classmethod
    def _keep_unknown(cls, value: Any) -> Any:
        """Metadata can be read where the serializer's package is missing; only its use fails."""
        if isinstance(value, dict) and "type" in value:
            try:
                lookup_type(Serializer, value["type"])
            except KeyError:
                return UnknownSerializer(**value)
        return value

    def dump_bytes(self) -> bytes:
        """As JSON."""
        return self.model_dump_json(serialize_as_any=True).encode()

    @classmethod
    def load_bytes(cls, data: bytes) -> ResultRecordMetadata:
        """From JSON."""
        return cls.model_validate_json(data)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ResultRecordMetadata) and self.model_dump() == other.model_dump()


class ResultRecord(Generic[R]):
    """A result and its metadata. Nothing is serialised before it is stored."""

    __slots__ = ("_is_persisted", "metadata", "result")

    def __init__(self, metadata: ResultRecordMetadata, result: R) -> None:
        self.metadata = metadata
        self.result = result
        self._is_persisted = False

    @property
    def expiration(self) -> datetime | None:
        """From when on the result may not serve as a cache any more."""
        return self.metadata.expiration

    @property
    def serializer(self) -> Serializer[Any]:
        """What turns the result into bytes."""
        return self.metadata.serializer

    @property
    def is_persisted(self) -> bool:
        """Whether it was written to, or read from, storage."""
        return self._is_persisted

    @property
    def is_expired(self) -> bool:
        """Whether it may not serve as a cache any more."""
        expiration = self.metadata.expiration
        return expiration is not None and expiration <= datetime.now(timezone.utc)

    def mark_persisted(self) -> None:
        """Note that it is in storage."""
        self._is_persisted = True

    def serialize_metadata(self) -> bytes:
        """The metadata as JSON."""
        return self.metadata.dump_bytes()

    def serialize_result(self) -> bytes:
        """The result as bytes.

        Raises:
            SerializationError: The serializer cannot handle it; says what to do.
        """
        try:
            return self.serializer.dumps(self.result)
        except SerializationError:
            raise
        except Exception as error:
            raise SerializationError(
                f"A result of type {type(self.result).__name__!r} cannot be stored with the {self.serializer.type!r} serializer: "
                f"{error!r}. Return something it can handle, choose another result_serializer, or set persist_result=False."
            ) from error

    def serialize(self) -> bytes:
        """Metadata and result in one JSON document."""
        return orjson.dumps(
            {"metadata": orjson.loads(self.serialize_metadata()), "result": self.serialize_result().decode()}
        )

    @classmethod
    def deserialize(cls, data: bytes, backup_serializer: Serializer[Any] | None = None) -> ResultRecord[R]:
        """Read what `serialize` made, or an older layout, or, with `backup_serializer`, the bare result."""
        try:
            document = orjson.loads(data)
        except orjson.JSONDecodeError:
            document = None
        if isinstance(document, dict) and "metadata" in document and "result" in document:
            metadata = ResultRecordMetadata.model_validate(document["metadata"])
            return cls.deserialize_from_result_and_metadata(document["result"].encode(), metadata)
        if isinstance(document, dict) and {"data", "serializer"} <= document.keys():
            metadata = ResultRecordMetadata.model_validate(
                {"serializer": document["serializer"], "expiration": document.get("expiration")}
            )
            return cls.deserialize_from_result_and_metadata(document["data"].encode(), metadata)
        serializer = backup_serializer or PickleSerializer()
        return cls.deserialize_from_result_and_metadata(data, ResultRecordMetadata(serializer=serializer))

    @classmethod
    def deserialize_from_result_and_metadata(cls, result: bytes, metadata: Any) -> ResultRecord[R]:
        """Put a stored result and its metadata together."""
        if not isinstance(metadata, ResultRecordMetadata):
            metadata = ResultRecordMetadata.load_bytes(metadata)
        record = cls(metadata, metadata.serializer.loads(result))
        record.mark_persisted()
        return record

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ResultRecord) and self.metadata == other.metadata and self.result == other.result

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"ResultRecord(result={self.result!r}, metadata={self.metadata!r})"


class RecordCache:
    """The records read and written last."""

    def __init__(self, size: int = CACHE_SIZE) -> None:
        self._records: OrderedDict[str, ResultRecord[Any]] = OrderedDict()
        self._size = size
        self._lock = threading.Lock()

    def get(self, key: str) -> ResultRecord[Any] | None:
        with self._lock:
            record = self._records.get(key)
            if record is not None:
                self._records.move_to_end(key)
            return record

    def put(self, key: str, record: ResultRecord[Any]) -> None:
        with self._lock:
            self._records[key] = record
            self._records.move_to_end(key)
            if len(self._records) > self._size:
                self._records.popitem(last=False)

    def drop(self, key: str) -> None:
        with self._lock:
            self._records.pop(key, None)

    def __len__(self) -> int:
        return len(self._records)

    def __reduce__(self) -> Any:
        return (RecordCache, (self._size,))  # records stay in their process
