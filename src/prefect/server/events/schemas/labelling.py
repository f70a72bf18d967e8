"""Labels: flat maps of dotted names to texts, and a way to read them as if they were nested."""

from prefect.events.schemas.labelling import LabelDiver, Labelled

__all__ = ["LabelDiver", "Labelled"]
