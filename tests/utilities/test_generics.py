"""Lists of models."""

import pydantic
import pytest
from pydantic import BaseModel

from prefect.utilities.generics import validate_list


class Point(BaseModel):
    x: int


def test_dictionaries_become_models():
    assert validate_list(Point, [{"x": "1"}, {"x": 2}]) == [Point(x=1), Point(x=2)]


@pytest.mark.parametrize("data", [{"x": 1}, "x", ["x"], [{"x": "q"}]])
def test_what_does_not_fit_is_refused(data):
    with pytest.raises(pydantic.ValidationError):
        validate_list(Point, data)
