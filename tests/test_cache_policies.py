"""Keys of cached results."""

import pickle
import threading
from dataclasses import dataclass
from types import SimpleNamespace
from uuid import UUID

import pandas
import pytest

from prefect.cache_policies import (
    DEFAULT,
    FLOW_PARAMETERS,
    INPUTS,
    NO_CACHE,
    NONE,
    RUN_ID,
    STABLE_TRANSFORMS,
    TASK_SOURCE,
    CacheKeyFnPolicy,
    CachePolicy,
    CompoundCachePolicy,
    Inputs,
)
from prefect.locking.memory import MemoryLockManager
from prefect.utilities.hashing import hash_objects

FLOW_RUN, TASK_RUN = UUID(int=1), UUID(int=2)


def add(a, b):
    return a + b


def context(fn=add, flow_run_id=FLOW_RUN, source_code=None):
    return SimpleNamespace(
        task=SimpleNamespace(fn=fn, source_code=source_code),
        task_run=SimpleNamespace(id=TASK_RUN, flow_run_id=flow_run_id),
    )


def key(policy, inputs=None, parameters=None, **facts):
    return policy.compute_key(context(**facts), inputs or {}, parameters or {})


# --- the parts --------------------------------------------------------------------------------------------------------


def test_equal_arguments_have_one_key():
    assert key(INPUTS, {"a": 1, "b": 2}) == key(INPUTS, {"b": 2, "a": 1})
    assert key(INPUTS, {"a": 1}) != key(INPUTS, {"a": 2})
    assert key(INPUTS, {"a": 1}) == hash_objects({"a": 1})


def test_a_task_without_arguments_has_no_key_by_them():
    assert key(INPUTS, {}) is None


def test_arguments_can_be_left_out_of_account():
    assert key(INPUTS - "b", {"a": 1, "b": 2}) == key(INPUTS - "b", {"a": 1, "b": 3})
    assert key(INPUTS - "b", {"a": 1, "b": 2}) != key(INPUTS - "b", {"a": 2, "b": 2})
    assert (INPUTS - "a" - "b").exclude == ["a", "b"]
    assert INPUTS.exclude == []


def test_an_argument_that_cannot_be_hashed_is_named():
    with pytest.raises(ValueError, match=r"'lock' \(of type 'lock'\)[\s\S]*cache_policy=INPUTS - 'lock'"):
        key(INPUTS, {"a": 1, "lock": threading.Lock()})
    with pytest.raises(ValueError, match="'lock'"):
        key(FLOW_PARAMETERS, parameters={"lock": threading.Lock()})


def test_the_run_is_the_flow_run_or_else_the_task_run():
    assert key(RUN_ID) == str(FLOW_RUN)
    assert key(RUN_ID, flow_run_id=None) == str(TASK_RUN)


def test_a_light_record_serves_as_the_run():
    record = SimpleNamespace(id=TASK_RUN, flow_run_id=None)
    assert RUN_ID.compute_key(SimpleNamespace(record=record), {}, {}) == str(TASK_RUN)


def test_functions_are_told_apart_by_their_source():
    def subtract(a, b):
        return a - b

    assert key(TASK_SOURCE) == key(TASK_SOURCE, inputs={"a": 1})
    assert key(TASK_SOURCE) != key(TASK_SOURCE, fn=subtract)
    assert key(TASK_SOURCE, source_code="x") == hash_objects("x")


def test_functions_without_source_are_told_apart_by_their_code():
    one, same, other, calling, calling_other = (
        eval(text)
        for text in ("lambda x: x + 1", "lambda x: x + 1", "lambda x: x + 2", "lambda x: x.a()", "lambda x: x.b()")
    )
    keys = [key(TASK_SOURCE, fn=fn) for fn in (one, same, other, calling, calling_other)]
    assert keys[0] == keys[1]
    assert len(set(keys)) == 4


def test_objects_that_can_be_called_are_told_apart_by_their_class():
    class Adder:
        def __call__(self, x):
            return x + 1

    class Doubler:
        def __call__(self, x):
            return x * 2

    assert key(TASK_SOURCE, fn=Adder()) == key(TASK_SOURCE, fn=Adder())
    assert key(TASK_SOURCE, fn=Adder()) != key(TASK_SOURCE, fn=Doubler())


def test_flow_parameters_have_a_key_if_there_are_any():
    assert key(FLOW_PARAMETERS, parameters={"x": 1}) == hash_objects({"x": 1})
    assert key(FLOW_PARAMETERS) is None
    assert FLOW_PARAMETERS.compute_key(context(), {}, None) is None


def test_a_function_can_make_the_key():
    seen = []
    policy = CachePolicy.from_cache_key_fn(lambda run, inputs: seen.append(inputs) or "my-key")
    assert key(policy, {"a": 1}) == "my-key"
    assert seen == [{"a": 1}]
    assert key(CacheKeyFnPolicy()) is None


def test_no_cache_gives_no_key():
    assert key(NO_CACHE, {"a": 1}) is None
    assert NONE == NO_CACHE


def test_a_bare_policy_does_not_know_how():
    with pytest.raises(NotImplementedError, match="CachePolicy"):
        key(CachePolicy())


# --- data frames and other types --------------------------------------------------------------------------------------


def test_data_frames_are_compared_by_their_columns():
    one = pandas.DataFrame({"a": [1, 2], "b": ["x", "y"]})
    same = pandas.concat([one[["b"]], one[["a"]]], axis=1)
    other = pandas.DataFrame({"a": [1, 3], "b": ["x", "y"]})
    lists = pandas.DataFrame({"a": [[1], [2]]})

    assert key(INPUTS, {"df": one}) == key(INPUTS, {"df": same})
    assert key(INPUTS, {"df": one}) != key(INPUTS, {"df": other})
    assert key(INPUTS, {"df": one}) != key(INPUTS, {"df": one.astype({"a": float})})
    assert key(INPUTS, {"df": lists}) == key(INPUTS, {"df": lists.copy()})


def test_types_can_be_given_a_stable_form():
    class Restless:
        def __init__(self):
            self.changes = id(self)

    assert key(INPUTS, {"r": Restless()}) != key(INPUTS, {"r": Restless()})
    STABLE_TRANSFORMS[Restless] = lambda value: "restless"
    try:
        assert key(INPUTS, {"r": Restless()}) == key(INPUTS, {"r": Restless()})
    finally:
        del STABLE_TRANSFORMS[Restless]


# --- sums -------------------------------------------------------------------------------------------------------------


def test_a_sum_has_the_hash_of_its_parts_keys():
    policy = TASK_SOURCE + RUN_ID
    assert key(policy) == hash_objects(key(TASK_SOURCE), key(RUN_ID))


def test_parts_without_a_key_do_not_count():
    none = CacheKeyFnPolicy(cache_key_fn=lambda run, inputs: None)
    assert key(none + RUN_ID) == hash_objects(key(RUN_ID))
    assert key(none + INPUTS) is None
    assert key(CompoundCachePolicy()) is None


def test_the_default_is_arguments_source_and_run():
    assert key(DEFAULT, {"a": 1}) == hash_objects(key(TASK_SOURCE), key(RUN_ID), key(INPUTS, {"a": 1}))
    assert key(DEFAULT, {"a": 1}) != key(DEFAULT, {"a": 1}, flow_run_id=UUID(int=9))


def test_adding_no_cache_changes_nothing():
    assert INPUTS + NO_CACHE is INPUTS
    assert NO_CACHE + INPUTS is INPUTS


def test_sums_are_flat_and_hold_one_policy_on_inputs():
    policy = (INPUTS - "a") + (RUN_ID + (INPUTS - "b"))
    assert isinstance(policy, CompoundCachePolicy)
    assert policy.policies == [RUN_ID, Inputs(exclude=["a", "b"])]


def test_an_input_can_be_taken_out_of_a_sum():
    assert (DEFAULT - "a").policies[-1] == Inputs(exclude=["a"])
    assert DEFAULT.policies[-1] == INPUTS
    assert (RUN_ID + TASK_SOURCE) - "a" == RUN_ID + TASK_SOURCE
    assert RUN_ID - "a" is RUN_ID


@pytest.mark.parametrize("policy", [INPUTS, RUN_ID, DEFAULT])
def test_only_names_can_be_taken_out(policy):
    with pytest.raises(TypeError, match="3"):
        policy - 3


def test_only_policies_can_be_added():
    with pytest.raises(TypeError):
        INPUTS + 3


# --- configuration ----------------------------------------------------------------------------------------------------


def test_configuring_makes_a_copy():
    configured = INPUTS.configure(key_storage="/keys", isolation_level="SERIALIZABLE")
    assert (configured.key_storage, configured.isolation_level) == ("/keys", "SERIALIZABLE")
    assert INPUTS.key_storage is None
    assert configured.configure(lock_manager=None).key_storage == "/keys"
    assert (configured - "a").key_storage == "/keys"


def test_a_sum_takes_the_configuration_that_there_is():
    lock_manager = MemoryLockManager()
    policy = INPUTS.configure(key_storage="/keys") + RUN_ID.configure(lock_manager=lock_manager)
    assert policy.key_storage == "/keys"
    assert policy.lock_manager is lock_manager
    assert (policy - "a").key_storage == "/keys"


@pytest.mark.parametrize(
    ("option", "one", "other"),
    [("key_storage", "/a", "/b"), ("isolation_level", "SERIALIZABLE", "READ_COMMITTED")],
)
def test_configurations_that_contradict_are_refused(option, one, other):
    with pytest.raises(ValueError, match=rf"'{one}' and '{other}'"):
        INPUTS.configure(**{option: one}) + RUN_ID.configure(**{option: other})


@dataclass
class DayPolicy(CachePolicy):
    day: str = "monday"

    def compute_key(self, task_ctx, inputs, flow_parameters, **kwargs):
        return self.day


def test_a_policy_of_ones_own_is_combined_configured_and_pickled():
    policy = pickle.loads(pickle.dumps(DayPolicy(day="friday").configure(key_storage="/keys") + INPUTS))
    assert policy.key_storage == "/keys"
    assert key(policy, {"a": 1}) == hash_objects("friday", key(INPUTS, {"a": 1}))


@pytest.mark.parametrize("policy", [DEFAULT, NO_CACHE, INPUTS - "a"])
def test_policies_survive_pickling(policy):
    assert pickle.loads(pickle.dumps(policy)) == policy
