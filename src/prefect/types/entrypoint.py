"""How a flow is found again: by the file that holds it, or by its module."""

from enum import Enum


class EntrypointType(Enum):
    """The two forms of an entrypoint."""

    FILE_PATH = "file_path"
    MODULE_PATH = "module_path"
