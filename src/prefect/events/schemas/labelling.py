"""Labels: flat maps of dotted names to texts, and a way to read them as if they were nested."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pydantic import ConfigDict, RootModel


class LabelDiver:
    """Reads dotted labels as attributes: `diver.prefect.resource.name`.

    A node prints as its own value, which is empty where only longer labels exist; iterating over it gives the labels
    below it, relative to it, with their values.
    """

    __slots__ = ("_labels", "_value")

    def __init__(self, labels: dict[str, str], value: str = "") -> None:
        self._labels = labels
        self._value = value

    def __getattr__(self, name: str) -> LabelDiver:
        if name.startswith("_"):
            raise AttributeError(name)
        try:
            return self[name]
        except KeyError:
            raise AttributeError(f"No label starts with {name!r}; there are {sorted(self._labels)}.") from None

    def __getitem__(self, key: str) -> LabelDiver:
        prefix = f"{key}."
        below = {label[len(prefix) :]: value for label, value in self._labels.items() if label.startswith(prefix)}
        if not below and key not in self._labels:
            raise KeyError(key)
        return LabelDiver(below, self._labels.get(key, ""))

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter(self._labels.items())

    def __len__(self) -> int:
        return len(self._labels)

    def __bool__(self) -> bool:
        return bool(self._labels or self._value)

    def __str__(self) -> str:
        return self._value

    def __repr__(self) -> str:
        return f"LabelDiver({self._labels!r}, {self._value!r})"


class Labelled(RootModel):
    """Something that is described by labels."""

    model_config = ConfigDict(defer_build=True)

    root: dict[str, str]

    def keys(self) -> Iterable[str]:
        """The names of the labels."""
        return self.root.keys()

    def items(self) -> Iterable[tuple[str, str]]:
        """The labels with their values."""
        return self.root.items()

    def __getitem__(self, label: str) -> str:
        return self.root[label]

    def __setitem__(self, label: str, value: str) -> str:
        self.root[label] = value
        return value

    def __contains__(self, key: str) -> bool:
        return key in self.root

    def get(self, label: str, default: str | None = None) -> str | None:
        """The value of a label, or the default where there is no such label."""
        return self.root.get(label, default)

    def as_label_value_array(self) -> list[dict[str, str]]:
        """The labels as a list of `{"label": …, "value": …}`."""
        return [{"label": label, "value": value} for label, value in self.root.items()]

    @property
    def labels(self) -> LabelDiver:
        """The labels as attributes."""
        return LabelDiver(self.root)

    def has_all_labels(self, labels: dict[str, str]) -> bool:
        """Whether all of these labels are there, with these values."""
        return all(self.root.get(label) == value for label, value in labels.items())
