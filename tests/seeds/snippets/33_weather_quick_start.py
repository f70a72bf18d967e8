from prefect import flow, task
import httpx

@task(retries=2, retry_delay_seconds=60, log_prints=True)
def fetch_weather(city: str) -> dict:
    """Fetch weather data with automatic retries."""
    url = f"https://wttr.in/{city}?format=j1"
    response = httpx.get(url)
    response.raise_for_status()
    temp = response.json()["current_condition"][0]["temp_C"]
    print(f"Current temperature in {city}: {temp}°C")
    return {"city": city, "temp": temp}

@flow(name="Weather Pipeline")
def weather_flow(cities: list[str] = ["London", "Paris", "Tokyo"]):
    """Process weather data for multiple cities."""
    results = []
    for city in cities:
        result = fetch_weather(city)
        results.append(result)
    return results

if __name__ == "__main__":
    # Run locally
    weather_flow()
