from prefect import flow, task
import httpx

@task(log_prints=True)
def fetch_weather(city: str) -> dict:
    """Fetch weather data for a city."""
    url = f"https://wttr.in/{city}?format=j1"
    response = httpx.get(url)
    response.raise_for_status()
    return response.json()

@task
def extract_temperature(weather_data: dict) -> float:
    """Extract current temperature from weather data."""
    return float(weather_data["current_condition"][0]["temp_C"])

@flow(
    name="Weather Check",
    retries=3,
    retry_delay_seconds=10,
    log_prints=True
)
def weather_pipeline(cities: list[str]) -> dict[str, float]:
    """Check temperatures for multiple cities."""
    results = {}
    for city in cities:
        data = fetch_weather(city)
        temp = extract_temperature(data)
        results[city] = temp
        print(f"{city}: {temp}°C")
    return results

if __name__ == "__main__":
    temps = weather_pipeline(["London", "Paris", "Tokyo"])
    print(f"Results: {temps}")
