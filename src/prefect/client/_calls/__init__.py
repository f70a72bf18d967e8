"""The API's requests as pure functions: each builds a `Call`, and neither waits nor sends."""
