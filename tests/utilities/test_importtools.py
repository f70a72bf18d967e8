"""Finding and loading objects and modules."""

import json
import os
import pickle
import subprocess
import sys
from types import ModuleType

import pytest

from prefect.exceptions import ScriptError
from prefect.utilities.importtools import (
    AliasedModuleDefinition,
    AliasedModuleFinder,
    DelayedImportErrorModule,
    from_qualified_name,
    import_object,
    importable_name,
    lazy_import,
    load_module,
    load_script_as_module,
    safe_load_namespace,
    to_qualified_name,
)


@pytest.fixture(autouse=True)
def imports_are_left_alone():
    path, modules, finders = list(sys.path), set(sys.modules), list(sys.meta_path)
    yield
    sys.path[:] = path
    sys.meta_path[:] = finders
    for name in set(sys.modules) - modules:
        del sys.modules[name]


class Outer:
    class Inner: ...


# --- by name ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("obj", [Outer, Outer.Inner, json.dumps, dict, ValueError], ids=lambda obj: obj.__qualname__)
def test_objects_are_found_by_the_name_they_give(obj):
    assert from_qualified_name(to_qualified_name(obj)) is obj


def test_modules_and_attributes_are_found():
    assert from_qualified_name("os.path") is os.path
    assert from_qualified_name("collections.OrderedDict.fromkeys")("a")


@pytest.mark.parametrize("name", ["nowhere", "nowhere.thing"])
def test_a_missing_module_is_an_error(name):
    with pytest.raises(ModuleNotFoundError, match="nowhere"):
        from_qualified_name(name)


def test_a_missing_attribute_is_an_error():
    with pytest.raises(AttributeError, match="nothing"):
        from_qualified_name("json.nothing")


def test_a_module_that_lacks_something_itself_is_not_taken_for_missing(tmp_path):
    (tmp_path / "needy_package").mkdir()
    (tmp_path / "needy_package" / "__init__.py").write_text("")
    (tmp_path / "needy_package" / "needy.py").write_text("import missing_dependency")
    sys.path.insert(0, str(tmp_path))
    with pytest.raises(ModuleNotFoundError, match="missing_dependency"):
        from_qualified_name("needy_package.needy.thing")


# --- by entrypoint ----------------------------------------------------------------------------------------------------


@pytest.fixture
def script(tmp_path):
    path = tmp_path / "my script.py"
    path.write_text(
        "import my_neighbour\n"
        "class Owner:\n    attribute = 'found'\n"
        "def late():\n    import my_late_neighbour\n    return my_late_neighbour.VALUE\n"
        "NAME = __name__\nFILE = __file__\n"
        "if __name__ == '__main__':\n    raise SystemExit\n"
    )
    (tmp_path / "my_neighbour.py").write_text("")
    (tmp_path / "my_late_neighbour.py").write_text("VALUE = 'late'")
    return path


def test_objects_of_scripts_and_modules_are_found(script):
    assert import_object(f"{script}:Owner.attribute") == "found"
    assert import_object("os.path:join") is os.path.join
    assert import_object("os.path.join") is os.path.join


def test_a_script_runs_under_a_name_of_its_own(script):
    module = load_script_as_module(str(script))
    assert module.NAME not in ("__main__", "my script")
    assert module.FILE == str(script)
    assert sys.modules[module.NAME] is module
    assert pickle.loads(pickle.dumps(module.Owner)) is module.Owner


def test_a_script_is_imported_by_the_name_of_its_file(script):
    assert importable_name(load_script_as_module(str(script)).__name__) == script.stem
    assert importable_name("json") == "json"


def test_a_scripts_functions_import_its_neighbours_later(script):
    assert load_script_as_module(str(script)).late() == "late"


def test_a_script_keeps_its_name_when_it_is_loaded_again(script):
    first, second = load_script_as_module(str(script)), load_script_as_module(str(script))
    assert first is not second
    assert first.__name__ == second.__name__


def test_a_script_that_fails_says_why(tmp_path):
    broken = tmp_path / "broken.py"
    broken.write_text("raise ValueError('boo')")
    with pytest.raises(ScriptError, match=r"broken\.py") as caught:
        load_script_as_module(str(broken))
    assert repr(caught.value.user_exc) == "ValueError('boo')"
    assert not [name for name, module in sys.modules.items() if getattr(module, "__file__", None) == str(broken)]


def test_a_script_that_is_not_there_says_so(tmp_path):
    with pytest.raises(ScriptError, match="No such file"):
        import_object(f"{tmp_path}/nothing.py:thing")


def test_an_entrypoint_names_an_object():
    with pytest.raises(ValueError, match="'json'"):
        import_object("json")
    with pytest.raises(AttributeError, match="nothing"):
        import_object("json:nothing")


def test_modules_of_the_working_directory_are_found(tmp_path, monkeypatch):
    (tmp_path / "module_of_here.py").write_text("X = 1")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [entry for entry in sys.path if entry])
    assert load_module("module_of_here").X == 1


# --- late -------------------------------------------------------------------------------------------------------------


def test_a_lazy_module_is_executed_when_it_is_used(tmp_path):
    (tmp_path / "lazy_one.py").write_text("import builtins\nbuiltins.lazy_one_ran = True\nVALUE = 3\n")
    code = (
        f"import builtins, sys; sys.path.insert(0, {str(tmp_path)!r})\n"
        "from prefect.utilities.importtools import lazy_import\n"
        "module = lazy_import('lazy_one')\n"
        "assert not hasattr(builtins, 'lazy_one_ran')\n"
        "assert module.VALUE == 3 and builtins.lazy_one_ran\n"
        "assert lazy_import('lazy_one') is module\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_missing_lazy_module_fails_when_it_is_used():
    module = lazy_import("nowhere", help_message="Install it with `pip install nowhere`.")
    assert isinstance(module, ModuleType)
    with pytest.raises(ModuleNotFoundError, match=r"'nowhere'[\s\S]*pip install nowhere"):
        module.thing


def test_a_missing_lazy_module_can_fail_at_once():
    with pytest.raises(ModuleNotFoundError, match=r"'nowhere'[\s\S]*Get it"):
        lazy_import("nowhere", error_on_import=True, help_message="Get it.")


def test_tools_may_look_at_a_missing_module():
    module = DelayedImportErrorModule("it is missing")
    assert not hasattr(module, "__wrapped__")
    assert repr(module) == "<module 'DelayedImportErrorModule'>"


# --- other names ------------------------------------------------------------------------------------------------------


def test_a_module_can_be_imported_by_another_name():
    told = []
    sys.meta_path.insert(0, AliasedModuleFinder([AliasedModuleDefinition("old_json", "json", told.append)]))

    import old_json
    import old_json.decoder

    assert old_json is json
    assert old_json.decoder is json.decoder
    assert told == ["old_json", "old_json.decoder"]


def test_an_alias_does_not_make_submodules_up():
    sys.meta_path.insert(0, AliasedModuleFinder([AliasedModuleDefinition("old_json", "json", None)]))
    with pytest.raises(ModuleNotFoundError):
        import old_json.nothing  # noqa: F401


# --- as far as it loads -----------------------------------------------------------------------------------------------


def test_what_loads_of_a_source_is_loaded():
    namespace = safe_load_namespace(
        "import os\n"
        "import missing_one\n"
        "from missing_two import thing\n"
        "x = 1\n"
        "y = missing_one.z\n"
        "class Broken(missing_one.Base): ...\n"
        "class Whole:\n    a: int = x\n"
        "def fn(): return x\n"
        "try:\n    import missing_three as three\nexcept ImportError:\n    three = None\n"
        "if x:\n    z = 2\n"
        "raise SystemExit('a call is not made')\n"
        "if __name__ == '__main__':\n    fn = None\n"
    )
    assert namespace["os"] is os
    assert namespace["fn"]() == 1
    assert namespace["Whole"].a == 1
    assert (namespace["x"], namespace["z"], namespace["three"]) == (1, 2, None)
    assert not {"y", "Broken", "thing", "missing_one"} & set(namespace)


def test_neighbours_of_a_source_are_found(tmp_path):
    (tmp_path / "side_by_side.py").write_text("Q = 4")
    source = "from .side_by_side import Q\nimport side_by_side\nF = __file__\n"
    namespace = safe_load_namespace(source, filepath=str(tmp_path / "main.py"))
    assert namespace["Q"] == 4
    assert namespace["side_by_side"].Q == 4
    assert namespace["F"] == str(tmp_path / "main.py")
