"""The models of events and automations as the server has them."""
