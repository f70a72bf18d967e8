"""Registries of subclasses by key."""

import warnings

import pytest
from pydantic import BaseModel

from prefect.utilities.dispatch import (
    get_dispatch_key,
    get_registry_for_type,
    lookup_type,
    register_base_type,
    register_type,
)


@pytest.fixture
def base():
    @register_base_type
    class Base:
        @classmethod
        def __dispatch_key__(cls):
            return getattr(cls, "key", None)

    return Base


def test_subclasses_are_registered_as_they_are_defined(base):
    class One(base):
        key = "one"

    class Below(One):
        key = "below"

    assert get_registry_for_type(base) == {"one": One, "below": Below}
    assert get_registry_for_type(Below) is get_registry_for_type(base)
    assert lookup_type(base, "below") is Below
    assert get_dispatch_key(Below()) == "below"


def test_a_class_without_a_key_is_a_base_of_others(base):
    class Middle(base): ...

    class End(Middle):
        key = "end"

    assert get_registry_for_type(base) == {"end": End}
    assert get_dispatch_key(Middle, allow_missing=True) is None
    with pytest.raises(ValueError, match="'Middle' does not define"):
        get_dispatch_key(Middle)


def test_a_key_may_be_an_attribute():
    @register_base_type
    class Base:
        __dispatch_key__ = "base"

    class Child(Base):
        __dispatch_key__ = "child"

    assert get_registry_for_type(Base) == {"base": Base, "child": Child}


def test_a_key_is_text(base):
    with pytest.raises(TypeError, match="must be a string, not 3"):

        class Wrong(base):
            key = 3


def test_an_unknown_key_names_the_known_ones(base):
    class One(base):
        key = "one"

    with pytest.raises(KeyError, match="'nothing'.*'one'"):
        lookup_type(base, "nothing")


def test_a_class_outside_of_registries_cannot_be_registered():
    assert get_registry_for_type(int) is None
    with pytest.raises(ValueError, match="register_base_type"):
        register_type(int)


def test_another_class_of_the_same_key_takes_over_with_a_warning(base):
    class One(base):
        key = "one"

    with pytest.warns(UserWarning, match=r"'Other' .* has key 'one' .* 'One' .* overridden"):

        class Other(base):
            key = "one"

    assert lookup_type(base, "one") is Other


def test_the_same_class_again_takes_over_without_a_word(base):
    def define():
        class One(base):
            key = "one"

        return One

    define()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        again = define()
    assert lookup_type(base, "one") is again


def test_hooks_of_subclasses_still_run():
    seen = []

    class Hooked:
        def __init_subclass__(cls, mark=None, **kwargs):
            super().__init_subclass__(**kwargs)
            seen.append((cls.__name__, mark))

    @register_base_type
    class Base(Hooked):
        @classmethod
        def __dispatch_key__(cls):
            return cls.__name__

    class Child(Base, mark="x"): ...

    assert ("Child", "x") in seen
    assert lookup_type(Base, "Child") is Child


def test_a_class_without_hooks_takes_no_class_arguments(base):
    with pytest.raises(TypeError, match="mark"):

        class Child(base, mark="x"): ...


def test_models_know_their_fields_when_they_are_registered():
    @register_base_type
    class Base(BaseModel):
        kind: str

        @classmethod
        def __dispatch_key__(cls):
            default = cls.model_fields["kind"].default
            return default if isinstance(default, str) else None

    class Child(Base):
        kind: str = "child"

    assert get_registry_for_type(Base) == {"child": Child}
