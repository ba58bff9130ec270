"""The gateway: one raw ASGI application."""
