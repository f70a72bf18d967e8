from prefect.blocks.system import Secret

# One-time setup (e.g. in a setup script)
Secret(value="sk-...").save("openai-api-key", overwrite=True)

# Usage in flows
from prefect import flow

@flow
def call_openai():
    api_key = Secret.load("openai-api-key").get()
    # ... use api_key ...
