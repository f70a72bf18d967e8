"""Describes the parameters of a function as a JSON schema, the form in which deployments store them."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from inspect import Parameter, Signature
from typing import Annotated, Any, Literal, get_args, get_origin

from pydantic import BaseModel, ConfigDict, Field, create_model
from pydantic.errors import PydanticUserError
from pydantic.fields import FieldInfo
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue, JsonSchemaWarningKind

from prefect.utilities._annotations_of import has_v1_type, signature_with_types
from prefect.utilities._docstrings import parameter_docstrings
from prefect.utilities._parameter_models import named_field
from prefect.utilities._source_signature import signature_from_entrypoint

__all__ = [
    "ParameterSchema",
    "create_v1_schema",
    "create_v2_schema",
    "generate_parameter_schema",
    "has_v1_type_as_param",
    "parameter_docstrings",
    "parameter_schema",
    "parameter_schema_from_entrypoint",
    "process_v1_params",
    "process_v2_params",
]

_REFERENCES = "#/definitions/{model}"


class ParameterSchema(BaseModel):
    """The JSON schema of a function's parameters.

    Attributes:
        properties: The schema of each parameter, in the order of the signature, with its `position` and `title`.
        required: The parameters that have no default.
        definitions: The types that properties refer to as `#/definitions/<name>`.
    """

    title: Literal["Parameters"] = "Parameters"
    type: Literal["object"] = "object"
    properties: dict[str, Any] = Field(default_factory=dict)
    required: list[str] = Field(default_factory=list)
    definitions: dict[str, Any] = Field(default_factory=dict)

    def model_dump_for_openapi(self) -> dict[str, Any]:
        """Return the schema without an empty list of required parameters, which JSON schema draft 4 forbids."""
        schema = self.model_dump(mode="python", exclude_none=True)
        if not self.required:
            del schema["required"]
        return schema


def parameter_schema(fn: Callable[..., Any]) -> ParameterSchema:
    """Describe the parameters of a function.

    Types without a schema are described as anything, `self` and `cls` are left out, and what the docstring's `Args:`
    section says becomes the descriptions.
    """
    return generate_parameter_schema(signature_with_types(fn), parameter_docstrings(inspect.getdoc(fn)))


def parameter_schema_from_entrypoint(entrypoint: str) -> ParameterSchema:
    """Describe the parameters of a function without importing what its module needs.

    Args:
        entrypoint: `path/to/file.py:function` or `package.module.function`.

    Raises:
        ValueError: The entrypoint has the wrong form, or the source holds no such function.
        FileNotFoundError: The file does not exist.
    """
    signature, docstring = signature_from_entrypoint(entrypoint)
    return generate_parameter_schema(signature, parameter_docstrings(docstring))


def generate_parameter_schema(signature: Signature, docstrings: dict[str, str]) -> ParameterSchema:
    """Describe the parameters of a signature.

    Args:
        docstrings: Descriptions of the parameters by name.
    """
    described = [
        (position, parameter)
        for position, parameter in enumerate(signature.parameters.values())
        if parameter.name not in ("self", "cls")
    ]
    if not described:
        return ParameterSchema()
    v1 = has_v1_type_as_param(signature)
    process = process_v1_params if v1 else process_v2_params
    aliases: dict[str, str] = {}
    fields: dict[str, Any] = {}
    for position, parameter in described:
        name, type_, field = process(parameter, position=position, docstrings=docstrings, aliases=aliases)
        fields[name] = (type_, field)
    if v1:
        schema = create_v1_schema("Parameters", type("Config", (), {"arbitrary_types_allowed": True}), fields)
    else:
        schema = _schema_of_usable(fields)
    properties = schema.get("properties", {})
    # A user's own `json_schema_extra` takes the place of ours, and may say less.
    for position, parameter in described:
        described_as = properties[parameter.name]
        described_as.setdefault("position", position)
        described_as.setdefault("title", parameter.name)
    return ParameterSchema(
        properties=properties, required=schema.get("required", []), definitions=schema.get("definitions", {})
    )


def _schema_of_usable(fields: dict[str, Any]) -> dict[str, Any]:
    config = ConfigDict(arbitrary_types_allowed=True)
    try:
        return create_v2_schema("Parameters", config, model_fields=fields)
    except PydanticUserError:
        # Some type has no meaning to pydantic, for instance because it names another that does not exist.
        usable = {name: field if _has_schema(field[0]) else (Any, field[1]) for name, field in fields.items()}
        return create_v2_schema("Parameters", config, model_fields=usable)


def _has_schema(type_: Any) -> bool:
    try:
        create_v2_schema("Probe", ConfigDict(arbitrary_types_allowed=True), model_fields={"value": (type_, ...)})
    except PydanticUserError:
        return False
    return True


# --- pydantic 2 -------------------------------------------------------------------------------------------------------


class _Generator(GenerateJsonSchema):
    """Leaves out, without a word, what JSON cannot express."""

    ignored_warning_kinds: set[JsonSchemaWarningKind] = {"skipped-choice", "non-serializable-default"}

    def handle_invalid_for_json_schema(self, schema: Any, error_info: str) -> JsonSchemaValue:
        return {}


def process_v2_params(
    param: Parameter, *, position: int, docstrings: dict[str, str], aliases: dict[str, str]
) -> tuple[str, Any, Any]:
    """Describe a parameter as a field of a model.

    Args:
        aliases: Gains an entry, from the field's name to the parameter's, where the parameter's cannot be a field's.

    Returns:
        The name, type and value of the field.
    """
    name = param.name
    if hasattr(BaseModel, name) or name.startswith("_"):
        name = f"{name.lstrip('_')}__"
        while name in aliases:
            name += "_"
        aliases[name] = param.name
    type_: Any = Any if param.annotation is param.empty else param.annotation
    described: dict[str, Any] = {"json_schema_extra": {"position": position}}
    if name in aliases:
        described["alias"] = param.name
    if param.name in docstrings:
        described["description"] = docstrings[param.name]
    if not _has_title(param):
        described["title"] = param.name
    if isinstance(param.default, FieldInfo):
        # What the user said in the default is laid over what the annotation says.
        return name, *named_field(Annotated[type_, Field(**described)], param.default, param.name)
    return name, type_, Field(default=... if param.default is param.empty else param.default, **described)


def _has_title(param: Parameter) -> bool:
    metadata = get_args(param.annotation)[1:] if get_origin(param.annotation) is Annotated else ()
    fields = [field for field in (param.default, *metadata) if isinstance(field, FieldInfo)]
    return any(field.title for field in fields)


def create_v2_schema(
    name_: str,
    model_cfg: ConfigDict | None = None,
    model_base: type[BaseModel] | None = None,
    model_fields: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """Build a model and return its JSON schema, with references to `definitions`."""
    options: dict[str, Any] = {"__config__": model_cfg} if model_base is None else {"__base__": model_base}
    model = create_model(name_, **options, **(model_fields or {}))
    schema = model.model_json_schema(by_alias=True, ref_template=_REFERENCES, schema_generator=_Generator)
    if "$defs" in schema:
        schema["definitions"] = schema.pop("$defs")
    return schema


# --- pydantic 1 -------------------------------------------------------------------------------------------------------


def has_v1_type_as_param(signature: Signature) -> bool:
    """Say whether the type of any parameter is a model of pydantic 1, or is made of one."""
    return any(has_v1_type(parameter.annotation) for parameter in signature.parameters.values())


def process_v1_params(
    param: Parameter, *, position: int, docstrings: dict[str, str], aliases: dict[str, str]
) -> tuple[str, Any, Any]:
    """Describe a parameter as a field of a model of pydantic 1; else as `process_v2_params`."""
    from pydantic import v1  # noqa: PLC0415 - loaded already where a parameter is such a model, and by nobody else

    name = param.name
    if hasattr(v1.BaseModel, name) or name.startswith("_"):
        name = f"{name.lstrip('_')}__"
        aliases[name] = param.name
    type_: Any = Any if param.annotation is param.empty else param.annotation
    default = ... if param.default is param.empty else param.default
    field = v1.Field(
        default, title=param.name, description=docstrings.get(param.name), alias=aliases.get(name), position=position
    )
    return name, type_, field


def create_v1_schema(name_: str, model_cfg: type[Any], model_fields: dict[str, Any] | None = None) -> dict[str, Any]:
    """Build a model of pydantic 1 and return its JSON schema, with references to `definitions`."""
    from pydantic import v1  # noqa: PLC0415 - see above

    model = v1.create_model(name_, __config__=model_cfg, **(model_fields or {}))
    return model.schema(by_alias=True)
