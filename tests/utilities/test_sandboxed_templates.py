"""Templates that users store."""

import pytest

from prefect.utilities._sandboxed_templates import TemplateProblem, check, make_environment, render


class Thing:
    name = "thing"
    _secret = "hush"


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("no template at all", "no template at all"),
        ("{{ thing.name }}", "thing"),
        ("{{ missing.at.all[0] }}", ""),
        ("{% for i in range(3) %}{{ i }}{% endfor %}", "012"),
        ("{{ 'ab' * 2 }} {{ 2 ** 3 }}", "abab 8"),
        ("<{{ '<b>' }}>", "<<b>>"),
    ],
)
def test_templates_are_rendered(template, text):
    assert render(template, {"thing": Thing()}) == text


@pytest.mark.parametrize(
    "template",
    [
        "{{ thing._secret }}",
        "{{ thing.__class__.__mro__ }}",
        "{{ ''.__class__ }}",
        "{{ [].__class__.__base__.__subclasses__() }}",
    ],
)
def test_internals_are_out_of_reach(template):
    try:
        assert "hush" not in (text := render(template, {"thing": Thing()}))
        assert text == ""
    except TemplateProblem:
        pass


def test_what_is_given_is_not_changed():
    items = [1]
    with pytest.raises(TemplateProblem):
        render("{{ items.append(2) }}", {"items": items})
    assert items == [1]


@pytest.mark.parametrize(
    "template",
    [
        "{% for i in range(101) %}{% endfor %}",
        "{{ 'x' * 10000000 }}",
        "{{ 10000000 * 'x' }}",
        "{{ 9 ** 99999 }}",
        "{{ 1 / 0 }}",
        "{{ undefined_function() }}",
    ],
)
def test_too_much_work_and_failures_are_problems(template):
    with pytest.raises(TemplateProblem):
        render(template, {})


@pytest.mark.parametrize(
    "template",
    [
        "{{ a ",
        "{% for %}",
        "{% include 'file' %}{{ a",
        "{{ a | nothing }}",
        "{% for a in b %}{% endfor %}" * 11,
        "{% for a in x %}" * 3 + "{% endfor %}" * 3,
    ],
)
def test_templates_are_checked_without_being_rendered(template):
    with pytest.raises(TemplateProblem):
        check(template)


def test_as_many_loops_as_are_allowed_pass():
    check("{% for a in b %}{% endfor %}" * 10)
    check("{% for a in x %}" * 2 + "{% endfor %}" * 2)


def test_nothing_is_loaded():
    with pytest.raises(TemplateProblem):
        render("{% include '/etc/passwd' %}", {})


def test_filters_can_be_added():
    environment = make_environment({"shout": lambda text: f"{text}!"})
    assert render("{{ 'a' | shout }}", {}, environment) == "a!"
