"""`prefect block`."""

import json
from pathlib import Path
from uuid import UUID

import pytest

from prefect.cli._runner import invoke
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.actions import BlockDocumentCreate, BlockSchemaCreate, BlockTypeCreate
from prefect.settings import temporary_settings

NOBODY = UUID(int=7)


@pytest.fixture
def block_id(client: SyncPrefectClient) -> str:
    """The id of the block "door/front", which keeps a code secret."""
    description = "Something to go through. It has a code.\n\nMore."
    block_type = client.create_block_type(BlockTypeCreate(name="Door", slug="door", description=description))
    fields = {
        "title": "Door",
        "type": "object",
        "properties": {
            "colour": {"type": "string", "title": "Colour"},
            "code": {"type": "string", "format": "password", "title": "Code"},
        },
        "secret_fields": ["code"],
        "block_type_slug": "door",
        "block_schema_references": {},
    }
    schema = client.create_block_schema(BlockSchemaCreate(fields=fields, block_type_id=block_type.id))
    document = BlockDocumentCreate(
        name="front",
        data={"colour": "[red]", "code": "1234"},
        block_schema_id=schema.id,
        block_type_id=block_type.id,
    )
    return str(client.create_block_document(document).id)


def test_an_empty_list_says_so(client: SyncPrefectClient):
    result = invoke(["block", "ls"])
    assert (result.exit_code, result.stdout.startswith("No blocks found.")) == (0, True)
    assert invoke(["blocks", "ls", "-o", "json"]) == (0, "[]\n", "")


def test_blocks_are_listed_without_secrets(block_id: str):
    lines = invoke(["block", "ls"]).stdout.splitlines()
    assert lines[0].strip() == "Blocks"
    [cells] = [[cell.strip() for cell in line.split("│")[1:-1]] for line in lines if line.startswith("│")]
    assert cells == [block_id, "Door", "front", "door/front"]
    result = invoke(["block", "ls", "-o", "json"])
    assert [block["id"] for block in json.loads(result.stdout)] == [block_id]
    assert "1234" not in result.stdout


@pytest.mark.parametrize("how", ["slug", "id"])
def test_a_block_is_inspected_without_secrets(how: str, block_id: str):
    arguments = ["door/front"] if how == "slug" else ["--id", block_id]
    shown = invoke(["block", "inspect", *arguments]).stdout
    assert "door/front" in shown and "[red]" in shown and "****" in shown and "1234" not in shown
    result = invoke(["block", "inspect", *arguments, "-o", "json"])
    assert json.loads(result.stdout)["data"]["colour"] == "[red]"
    assert "1234" not in result.stdout


@pytest.mark.parametrize("how", ["slug", "id"])
def test_a_block_is_deleted_unless_the_user_objects(how: str, block_id: str, client: SyncPrefectClient):
    arguments = ["door/front"] if how == "slug" else ["--id", block_id]
    assert invoke(["--prompt", "block", "delete", *arguments], input="n\n").exit_code == 1
    assert invoke(["block", "delete", *arguments]) == (0, "Deleted block 'door/front'.\n", "")
    assert client.read_block_documents() == []


@pytest.mark.parametrize("command", ["inspect", "delete"])
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "Give the block as TYPE/NAME"),
        (["front"], "'front' is no block"),
        (["door/back"], "Block 'door/back' not found."),
        (["window/front"], "Block 'window/front' not found."),
        (["--id", str(NOBODY)], f"Block '{NOBODY}' not found."),
    ],
)
def test_a_block_that_does_not_exist_is_not_found(command: str, arguments: list[str], message: str, block_id: str):
    result = invoke(["block", command, *arguments])
    assert (result.exit_code, result.stderr, message in result.stdout) == (1, "", True)


def test_a_block_is_created_in_the_web_interface(block_id: str):
    assert invoke(["block", "create", "door"]).exit_code == 1
    with temporary_settings({"ui_url": "http://ui"}):
        created = invoke(["block", "create", "door"])
        unknown = invoke(["block", "create", "window"])
    assert created == (0, "Create a door block: http://ui/blocks/catalog/door/create\n", "")
    assert unknown == (1, "Block type 'window' not found. There are: door.\n", "")


# -- types -------------------------------------------------------------------------------------------------------------


def test_types_are_listed(block_id: str):
    lines = invoke(["block", "type", "ls"]).stdout.splitlines()
    assert lines[0].strip() == "Block Types"
    [cells] = [[cell.strip() for cell in line.split("│")[1:-1]] for line in lines if line.startswith("│")]
    assert cells == ["door", "Something to go through", "prefect block create door"]
    assert [item["slug"] for item in json.loads(invoke(["block", "types", "ls", "-o", "json"]).stdout)] == ["door"]


def test_a_type_is_inspected_with_its_fields(block_id: str):
    shown = invoke(["block", "type", "inspect", "door"]).stdout
    assert "Door" in shown and "Schema Properties" in shown and "format: password" in shown
    told = json.loads(invoke(["block", "type", "inspect", "door", "-o", "json"]).stdout)
    assert (told["block_type"]["name"], told["schema"]["fields"]["title"]) == ("Door", "Door")


def test_a_type_is_deleted_unless_the_user_objects(block_id: str, client: SyncPrefectClient):
    assert invoke(["--prompt", "block", "type", "delete", "door"], input="n\n").exit_code == 1
    assert invoke(["block", "type", "delete", "door"]) == (0, "Deleted block type 'door'.\n", "")
    assert client.read_block_types() == []


@pytest.mark.parametrize("command", ["inspect", "delete"])
def test_a_type_that_does_not_exist_is_not_found(command: str, client: SyncPrefectClient):
    assert invoke(["block", "type", command, "nope"]) == (1, "Block type 'nope' not found.\n", "")


# -- register ----------------------------------------------------------------------------------------------------------

CODE = """
from prefect.blocks.core import Block

class Gate(Block):
    \"\"\"A gate.\"\"\"
    width: int = 1

class Fence(Block):
    height: int = 2
"""


@pytest.mark.parametrize("arguments", [[], ["-m", "a", "-f", "b"]])
def test_blocks_are_registered_from_one_source(arguments: list[str]):
    result = invoke(["block", "register", *arguments])
    assert (result.exit_code, "Give either a module or a file" in result.stdout) == (1, True)


@pytest.mark.parametrize(("option", "source"), [("--file", "gates.py"), ("--module", "fences")])
def test_the_types_of_a_file_or_module_are_registered(option: str, source: str, client: SyncPrefectClient):
    # Each in its own words: types that another file has registered in this process would be overridden.
    word = option.strip("-").title()
    Path(source).with_suffix(".py").write_text(CODE.replace("Gate", f"Gate{word}").replace("Fence", f"Fence{word}"))
    with temporary_settings({"ui_url": "http://ui"}):
        result = invoke(["block", "register", option, source])
    assert (result.exit_code, result.stderr) == (0, "")
    assert "Registered 2 blocks." in result.stdout and "http://ui/blocks/catalog" in result.stdout
    assert {item.slug for item in client.read_block_types()} >= {f"gate{word}".lower(), f"fence{word}".lower()}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["-m", "no_such_module_here"], "Cannot import module 'no_such_module_here'"),
        (["-m", "json"], "No blocks found in module 'json'"),
        (["-f", "nope.py"], "There is no file 'nope.py'"),
        (["-f", "notes.txt"], "must end in .py"),
        (["-f", "broken.py"], "it raised ZeroDivisionError: division by zero"),
        (["-f", "empty.py"], "No blocks found in file 'empty.py'"),
    ],
)
def test_a_source_without_blocks_is_refused(arguments: list[str], message: str, client: SyncPrefectClient):
    Path("broken.py").write_text("1 / 0")
    Path("empty.py").write_text("")
    result = invoke(["block", "register", *arguments])
    assert (result.exit_code, message in result.stdout) == (1, True), result.stdout
