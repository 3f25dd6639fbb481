"""Shelly relays of the second generation and later, local RPC over WebSocket."""
