"""Sans-IO JSON-RPC: framing, messages, and the session state machine."""
