from datetime import datetime, timedelta, timezone
from uuid import uuid4

import pytest

from prefect.events import clients
from prefect.events.clients import (
    AssertingEventsClient,
    NullEventsClient,
    RecorderEventsClient,
    events_in_socket_from_api_url,
    events_out_socket_from_api_url,
    get_events_client,
    get_events_subscriber,
    http_to_ws,
)
from prefect.events.filters import EventFilter, EventNameFilter
from prefect.events.schemas.events import Event, Resource
from prefect.settings import temporary_settings


def an_event(name: str = "oven.hot", **fields) -> Event:
    return Event(event=name, resource=Resource({"prefect.resource.id": "oven"}), **fields)


# -- without a server -------------------------------------------------------------------------------------------------


def test_sockets_are_found_from_the_api_url():
    assert http_to_ws("https://x.io/api/") == "wss://x.io/api"
    assert events_in_socket_from_api_url("http://x/api") == "ws://x/api/events/in"
    assert events_out_socket_from_api_url("http://x/api") == "ws://x/api/events/out"


async def test_clients_emit_only_inside_their_block():
    client = NullEventsClient()
    assert client.client_name == "NullEventsClient"
    with pytest.raises(TypeError, match="async with"):
        await client.emit(an_event())
    async with client:
        await client.emit(an_event())
    with pytest.raises(TypeError):
        await client.emit(an_event())


async def test_without_an_api_url_events_go_to_the_recorder_and_are_stored_at_the_end(emitted):
    event = an_event()
    async with get_events_client() as client:
        assert isinstance(client, RecorderEventsClient)
        await client.emit(event)
    assert emitted() == [event]


async def test_an_asserting_client_keeps_events_for_tests():
    AssertingEventsClient.reset()
    async with AssertingEventsClient("a", b=1) as client:
        await client.emit(an_event())
    assert AssertingEventsClient.last is client and AssertingEventsClient.all == [client]
    assert (client.args, client.kwargs) == (("a",), {"b": 1})
    assert [event.event for event in client.pop_events()] == ["oven.hot"]
    assert client.events == []
    AssertingEventsClient.reset()
    assert AssertingEventsClient.last is None and AssertingEventsClient.all == []


def test_unknown_names_are_not_found():
    with pytest.raises(AttributeError, match="Nonsense"):
        clients.Nonsense  # noqa: B018


# -- against a server -------------------------------------------------------------------------------------------------


def names(events) -> list[str]:
    return [event["event"] for event in events]


async def test_events_are_sent_over_the_websocket_and_confirmed_at_the_end(Api):
    async with Api(token="us:er").serve(**{"api.auth_string": "us:er"}) as api:
        async with get_events_client() as client:
            assert isinstance(client, clients.PrefectEventsClient)
            for name in ("a", "b"):
                await client.emit(an_event(name))
        assert names(api.events) == ["a", "b"]


async def test_a_wrong_token_is_refused_at_once(Api):
    async with Api(token="right").serve() as api:
        with pytest.raises(PermissionError, match="wrong token"):
            async with get_events_client():
                pass
        assert api.connections == 1


async def test_what_a_broken_connection_lost_is_sent_again(Api):
    async with Api().serve() as api:
        api.drop_after = [1]
        events = [an_event(str(n)) for n in range(5)]
        async with get_events_client() as client:
            for event in events[:2]:
                await client.emit(event)
            await api.dropped.wait()
            for event in events[2:]:
                await client.emit(event)
        assert {event["id"] for event in api.events} == {str(event.id) for event in events}
        assert api.connections == 2


async def test_confirmed_events_are_not_sent_again(Api):
    async with Api().serve() as api:
        async with get_events_client(checkpoint_every=2) as client:
            for name in ("a", "b", "c"):
                await client.emit(an_event(name))
            assert [event.event for event in client._unconfirmed] == ["c"]
        assert names(api.events) == ["a", "b", "c"]


async def test_an_api_that_is_away_is_given_up_after_the_attempts():
    pytest.importorskip("websockets")
    with temporary_settings({"api.url": "http://127.0.0.1:9/api"}), pytest.raises(OSError):
        async with get_events_client(reconnection_attempts=2):
            pass


async def test_a_subscriber_asks_from_a_minute_ago_and_ends_with_the_stream(Api):
    async with Api().serve() as api:
        api.batches = [[an_event("a"), an_event("b")]]
        wanted = EventFilter(event=EventNameFilter(prefix=["a", "b"]))
        before = wanted.occurred
        async with get_events_subscriber(filter=wanted) as subscriber:
            assert [event.event async for event in subscriber] == ["a", "b"]
        sent = api.filters[0]
        assert sent["type"] == "filter" and sent["filter"]["event"]["prefix"] == ["a", "b"]
        since = datetime.fromisoformat(sent["filter"]["occurred"]["since"].replace("Z", "+00:00"))
        distance = datetime.now(timezone.utc) - since
        assert timedelta(seconds=59) < distance < timedelta(seconds=80)
        assert wanted.occurred is before


async def test_a_subscriber_goes_on_after_a_broken_connection_without_repeating(Api):
    async with Api().serve() as api:
        first, second = an_event("a"), an_event("b", occurred=datetime.now(timezone.utc) - timedelta(hours=2))
        api.batches, api.close_codes = [[first], [first, second]], [1006, 1000]
        async with get_events_subscriber() as subscriber:
            assert [event.event async for event in subscriber] == ["a", "b"]
        since = datetime.fromisoformat(api.filters[1]["filter"]["occurred"]["since"].replace("Z", "+00:00"))
        assert since == first.occurred - timedelta(minutes=1)


async def test_a_subscriber_may_go_on_after_a_clean_end(Api):
    async with Api().serve() as api:
        api.batches = [[an_event("a")], [an_event("b")]]
        async with get_events_subscriber(reconnect_on_clean_close=True) as subscriber:
            assert [(await anext(subscriber)).event for _ in range(2)] == ["a", "b"]


async def test_cloud_urls_get_cloud_clients_with_the_key():
    pytest.importorskip("websockets")
    cloud = {"api.url": "https://cloud.test/api", "cloud.api_url": "https://cloud.test/api"}
    with temporary_settings(cloud), pytest.raises(ValueError, match="PREFECT_API_KEY"):
        get_events_client()
    with temporary_settings({**cloud, "api.key": "pnu_1"}):
        assert isinstance(get_events_client(), clients.PrefectCloudEventsClient)
        assert isinstance(get_events_subscriber(), clients.PrefectCloudEventSubscriber)
        account = clients.PrefectCloudAccountEventSubscriber(
            api_url=f"https://cloud.test/api/accounts/{uuid4()}/workspaces/w"
        )
        assert account._url.endswith("/events/out") and "workspaces" not in account._url
