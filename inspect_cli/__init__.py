"""See cookies, sessions, sockets and WebSockets happen in real packets."""

__version__ = "0.1.0"
