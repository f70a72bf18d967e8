"""The blocks that notify people, one service a module. They are public in `prefect.blocks.notifications`."""
