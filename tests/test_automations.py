from uuid import uuid4

import pytest

import prefect.automations
from prefect.automations import Automation as PrefectAutomation
from prefect.automations import DoNothing, EventTrigger
from prefect.exceptions import ObjectNotFound


@pytest.fixture(autouse=True)
def in_own_database(home):
    """No automation of one test is seen by another."""


def an_automation(name: str = "watch") -> PrefectAutomation:
    trigger = EventTrigger(expect={"oven.hot"}, posture="Reactive", threshold=1)
    return PrefectAutomation(name=name, trigger=trigger, actions=[DoNothing()])


def test_a_created_automation_is_read_by_id_and_by_name():
    created = an_automation().create()
    assert created.id is not None
    for found in (PrefectAutomation.read(id=created.id), PrefectAutomation.read(name="watch")):
        assert type(found) is PrefectAutomation
        assert (found.id, found.name, found.trigger, found.actions) == (
            created.id,
            "watch",
            created.trigger,
            created.actions,
        )


def test_reading_wants_one_of_id_and_name():
    with pytest.raises(ValueError, match="One of id or name must be provided"):
        PrefectAutomation.read()
    with pytest.raises(ValueError, match="Only one of id or name"):
        PrefectAutomation.read(id=uuid4(), name="x")
    with pytest.raises(ValueError, match="with name 'nope' not found"):
        PrefectAutomation.read(name="nope")
    with pytest.raises(ValueError, match="not found"):
        PrefectAutomation.read(id=uuid4())


def test_changes_are_stored():
    automation = an_automation().create()
    automation.description = "changed"
    automation.tags = ["new"]
    assert automation.update() is None
    found = PrefectAutomation.read(id=automation.id)
    assert (found.description, found.tags) == ("changed", ["new"])


def test_an_automation_rests_and_works_again():
    automation = an_automation().create()
    assert automation.disable() is True
    assert PrefectAutomation.read(id=automation.id).enabled is automation.enabled is False
    assert automation.enable() is True
    assert PrefectAutomation.read(id=automation.id).enabled is automation.enabled is True


def test_a_deleted_automation_is_gone():
    automation = an_automation().create()
    assert automation.delete() is True
    assert automation.delete() is automation.enable() is automation.disable() is False
    with pytest.raises(ObjectNotFound):
        automation.update()


def test_without_an_id_nothing_can_be_done():
    for method in ("update", "delete", "enable", "disable"):
        with pytest.raises(ValueError, match="without an id"):
            getattr(an_automation(), method)()


async def test_in_async_code_the_same_methods_are_awaited():
    automation = await an_automation().create()
    assert (await PrefectAutomation.read(name="watch")).id == automation.id
    assert (await PrefectAutomation.aread(id=automation.id)).id == automation.id
    automation.description = "new"
    assert await automation.aupdate() is None
    assert await automation.adisable() is True
    assert await automation.enable() is True
    assert await automation.adelete() is True
    assert await automation.delete() is False


def test_all_names_are_there():
    assert all(hasattr(prefect.automations, name) for name in prefect.automations.__all__)
