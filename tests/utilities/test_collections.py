"""Nested collections: picking, merging, walking."""

import io
from collections import OrderedDict, defaultdict, deque, namedtuple
from dataclasses import dataclass, field
from unittest.mock import MagicMock

import pytest
from pydantic import BaseModel, ConfigDict, PrivateAttr, computed_field

from prefect.utilities.annotations import allow_failure, quote, unmapped
from prefect.utilities.collections import (
    AutoEnum,
    StopVisiting,
    batched_iterable,
    deep_merge,
    deep_merge_dicts,
    dict_to_flatdict,
    distinct,
    ensure_iterable,
    extract_instances,
    flatdict_to_dict,
    get_from_dict,
    holds_only_scalars,
    isiterable,
    listrepr,
    remove_nested_keys,
    set_in_dict,
    visit_collection,
)


class Colour(AutoEnum):
    RED = AutoEnum.auto()
    BLUE = AutoEnum.auto()


def test_members_of_an_auto_enum_are_named_and_valued_alike():
    assert Colour.RED.value == "RED"
    assert Colour.RED == "RED"
    assert str(Colour.BLUE) == "Colour.BLUE"
    assert Colour("BLUE") is Colour.BLUE


# --- small things -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("value", [[], (), {}, set(), range(1), iter([]), (i for i in [])])
def test_collections_are_iterable(value):
    assert isiterable(value)


@pytest.mark.parametrize("value", ["abc", b"abc", io.StringIO(), 3, None])
def test_text_and_files_are_not_meant_to_be_iterated(value):
    assert not isiterable(value)


def test_single_objects_are_put_into_a_list():
    assert ensure_iterable(1) == [1]
    assert ensure_iterable({"a": 1}) == [{"a": 1}]
    assert ensure_iterable((1, 2)) == (1, 2)
    assert ensure_iterable("abc") == "abc"


def test_representations_are_joined():
    assert listrepr([1, "a"]) == "1 'a'"
    assert listrepr([1, 2], sep="\n") == "1\n2"


def test_instances_are_picked_by_type():
    assert extract_instances([1, "a", 2.0], int) == [1]
    assert extract_instances([1, "a", 2.0, 3], (int, str)) == {int: [1, 3], str: ["a"]}


def test_items_come_in_batches_of_which_the_last_may_be_shorter():
    assert list(batched_iterable(range(5), 2)) == [(0, 1), (2, 3), (4,)]
    assert list(batched_iterable([], 2)) == []


def test_a_batch_holds_something():
    with pytest.raises(ValueError, match="size=0"):
        list(batched_iterable([1], 0))


def test_distinct_keeps_the_first_of_each():
    assert list(distinct([2, 1, 2])) == [2, 1]
    assert list(distinct(["a", "b", "cc"], key=len)) == ["a", "cc"]


# --- nested dictionaries ----------------------------------------------------------------------------------------------


def test_nested_dictionaries_become_flat_and_nested_again():
    nested = {"a": {"b": 1, "c": {"d": [1]}}, "e": {}}
    flat = {("a", "b"): 1, ("a", "c", "d"): [1], ("e",): {}}
    assert dict_to_flatdict(nested) == flat
    assert flatdict_to_dict(flat) == nested


def test_merging_goes_into_dictionaries_and_leaves_both_sides_alone():
    one, other = {"a": {"b": 1}, "c": 1}, {"a": {"d": 2}, "c": {"x": 1}}
    assert deep_merge(one, other) == {"a": {"b": 1, "d": 2}, "c": {"x": 1}}
    assert one == {"a": {"b": 1}, "c": 1}
    assert deep_merge_dicts({"a": {"b": 1}}, {"a": {"c": 1}}, {"a": {"b": 2}}) == {"a": {"b": 2, "c": 1}}


def test_keys_are_removed_at_any_depth_of_dictionaries():
    assert remove_nested_keys(["a"], {"a": 1, "b": {"a": 2, "c": [{"a": 1}]}}) == {"b": {"c": [{"a": 1}]}}
    assert remove_nested_keys(["a"], 3) == 3


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("a.b[0].c", 1),
        ("a.b.0.c", 1),
        ("a.b[-1].c", 2),
        (["a", "b", 1, "c"], 2),
        ("x.0", "zero"),
        ("none", None),
        ("a.missing", "default"),
        ("a.b[9].c", "default"),
        ("none.further", "default"),
    ],
)
def test_values_are_found_by_path(path, expected):
    data = {"a": {"b": [{"c": 1}, {"c": 2}]}, "x": {"0": "zero"}, "none": None}
    assert get_from_dict(data, path, "default") == expected


def test_values_are_put_by_path():
    data = {"a": {"b": 1}}
    set_in_dict(data, "a.c", 2)
    set_in_dict(data, ["x", "y"], 3)
    assert data == {"a": {"b": 1, "c": 2}, "x": {"y": 3}}


def test_a_path_cannot_lead_through_a_value():
    with pytest.raises(TypeError, match="not a dictionary"):
        set_in_dict({"a": 1}, "a.b", 2)


# --- walking ----------------------------------------------------------------------------------------------------------

Pair = namedtuple("Pair", "left right")


@dataclass
class Plain:
    a: int
    b: list = field(default_factory=list)


@dataclass(frozen=True)
class Frozen:
    a: int


@dataclass(frozen=True)
class Slotted:
    __slots__ = ("a",)
    a: int


@dataclass
class Trouble(Exception):
    code: int


@dataclass
class Derived:
    a: int
    twice: int = field(init=False, default=0)

    def __post_init__(self):
        self.twice = self.a * 2


class Model(BaseModel):
    x: int
    y: list = []
    _hidden: int = PrivateAttr(5)


class Open(BaseModel):
    model_config = ConfigDict(extra="allow", frozen=True)
    x: int = 1

    @computed_field
    @property
    def double(self) -> int:
        return self.x * 2


class Text(BaseModel):
    x: str


class MyList(list): ...


class MyDict(dict): ...


def add_one(value):
    return value + 1 if type(value) is int else value


def rebuilt(value, **options):
    return visit_collection(value, add_one, return_data=True, **options)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (1, 2),
        ([1, "a"], [2, "a"]),
        ((1, [2]), (2, [3])),
        ({1, 2}, {2, 3}),
        ({1: {2: 3}}, {2: {3: 4}}),
        (Pair(1, [2]), Pair(2, [3])),
        (Plain(1, [2]), Plain(2, [3])),
        (Frozen(1), Frozen(2)),
        (Slotted(1), Slotted(2)),
        (Trouble(1), Trouble(2)),
        (Model(x=1, y=[1]), Model(x=2, y=[2])),
        (Open(x=1, z=5), Open(x=2, z=6)),
        (OrderedDict(a=1), OrderedDict(a=2)),
        (MyList([1]), MyList([2])),
        (MyDict(a=1), MyDict(a=2)),
        (quote([1]), quote([2])),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_changed_is_rebuilt_as_what_it_was(value, expected):
    result = rebuilt(value)
    assert result == expected
    assert type(result) is type(expected)


@pytest.mark.parametrize(
    "value",
    [["a", ("b",)], {"a": "b"}, {"a"}, Pair("a", "b"), Plain("a"), Text(x="a"), "text", None, quote("a")],
    ids=lambda value: type(value).__name__,
)
def test_what_did_not_change_is_passed_as_it_is(value):
    assert rebuilt(value) is value


def test_a_default_factory_survives_rebuilding():
    result = rebuilt(defaultdict(list, {1: [2]}))
    assert result == {2: [3]}
    assert result[9] == []


def test_rebuilding_a_dataclass_does_not_run_its_initialisers():
    # __post_init__ would make the second field twice the first.
    assert vars(rebuilt(Derived(1))) == {"a": 2, "twice": 3}


def test_rebuilding_a_model_keeps_what_was_set_and_what_is_private():
    model = Model(x=1)
    model._hidden = 9
    result = rebuilt(model)
    assert (result.x, result._hidden, result.model_fields_set) == (2, 9, {"x"})
    assert model.x == 1


@pytest.mark.parametrize(
    "value", [deque([1]), range(3), frozenset([1]), (i for i in [1]), io.StringIO("1"), int, Plain, object()]
)
def test_other_objects_are_seen_and_not_entered(value):
    seen = []
    visit_collection([value], seen.append)
    assert seen[1:] == [value]


def test_a_generator_is_not_used_up():
    generator = (i for i in [1, 2])
    rebuilt([generator])
    assert list(generator) == [1, 2]


def test_a_mock_is_not_taken_for_what_it_imitates():
    mock = MagicMock(spec=list)
    seen = []
    visit_collection(mock, seen.append)
    assert seen == [mock]
    mock.__iter__.assert_not_called()


def test_the_outside_is_seen_before_the_inside_and_keys_before_their_values():
    seen = []
    visit_collection([{"k": (1,)}, 2], seen.append)
    assert seen == [[{"k": (1,)}, 2], {"k": (1,)}, "k", (1,), 1, 2]


def test_nothing_is_returned_unless_asked_for():
    assert visit_collection([1], add_one) is None


def test_a_replacement_is_walked_in_turn():
    assert visit_collection([1], lambda value: [2, (3,)] if value == 1 else add_one(value), return_data=True) == [
        [3, (4,)]
    ]


def test_the_callback_may_keep_the_walk_out():
    seen = []

    def visit(value):
        seen.append(value)
        if isinstance(value, dict):
            raise StopVisiting
        return add_one(value)

    assert visit_collection([{"a": 1}, 2], visit, return_data=True) == [{"a": 1}, 3]
    assert 1 not in seen


@pytest.mark.parametrize(("depth", "expected"), [(0, [1, [2]]), (1, [2, [2]]), (2, [2, [3]]), (-1, [2, [3]])])
def test_the_walk_goes_as_deep_as_it_may(depth, expected):
    assert rebuilt([1, [2]], max_depth=depth) == expected


def test_a_value_that_contains_itself_ends():
    loop = ["a"]
    loop.append(loop)
    assert rebuilt(loop) is loop


def test_what_stands_in_two_places_is_rebuilt_once():
    inner = [1]
    result = rebuilt([inner, inner])
    assert result == [[2], [2]]
    assert result[0] is result[1]


def test_values_made_during_the_walk_are_not_confused_by_their_ids():
    # Each replacement is dropped by its predecessor's place and could get the same address.
    result = visit_collection(
        list(range(100)),
        lambda value: [[value]] if isinstance(value, int) and value < 1000 else value,
        return_data=True,
        max_depth=1,
    )
    assert result == [[[value]] for value in range(100)]


def test_the_context_is_copied_level_by_level():
    seen = {}

    def visit(value, context):
        seen[str(value)] = dict(context)
        context["depth"] = context.get("depth", 0) + 1

    mine = {"who": "me"}
    visit_collection([["x"], "y"], visit, context=mine)

    assert mine == {"who": "me"}
    assert seen["['x']"] == {"who": "me", "depth": 1}
    assert seen["x"] == {"who": "me", "depth": 2}
    assert seen["y"] == {"who": "me", "depth": 1}


def test_the_innermost_annotation_is_in_the_context():
    seen = {}

    def visit(value, context):
        seen[str(value)] = context.get("annotation")

    visit_collection([allow_failure(["x", quote("y")]), "z"], visit, context={})

    assert seen["x"] == allow_failure(["x", quote("y")])
    assert seen["y"] == quote("y")
    assert seen["z"] is None


def test_annotations_can_be_taken_off():
    value = [quote(1), {"k": unmapped("a")}, allow_failure(quote(2))]
    assert rebuilt(value, remove_annotations=True) == [2, {"k": "a"}, 3]


@pytest.mark.parametrize("value", [1, "a", None, [1, "a"], (1.0,), {"a": 1}, {1, 2}, []])
def test_plain_collections_are_told_at_a_glance(value):
    assert holds_only_scalars(value)


@pytest.mark.parametrize("value", [[[1]], {"a": []}, {(1,): 1}, object(), [object()], MyList([1]), Frozen(1), quote(1)])
def test_what_may_hold_more_is_not_plain(value):
    assert not holds_only_scalars(value)
