"""The HTTP and WebSocket face of wafast: one controller a domain, one policy a route."""
