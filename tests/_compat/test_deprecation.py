"""Warnings about what will be removed."""

import pytest

from prefect._compat.deprecation import PrefectDeprecationWarning, deprecated, warn_deprecated


def test_a_deprecated_function_warns_where_it_is_called():
    @deprecated(instead="Use `new`.", removal="9.0")
    def old(x):
        return x

    with pytest.warns(PrefectDeprecationWarning, match=r"old` is deprecated .* 9\.0\. Use `new`\.") as caught:
        assert old(3) == 3
    assert caught[0].filename == __file__


def test_other_things_are_warned_of_at_their_caller():
    def fn(old=None):
        if old is not None:
            warn_deprecated("The parameter 'old' of `fn`", instead="Leave it out.", removal="9.0")

    with pytest.warns(DeprecationWarning, match="'old'") as caught:
        fn(old=1)
    assert caught[0].filename == __file__
