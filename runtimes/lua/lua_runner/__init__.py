"""The Python side of the Lua runtime: what stands between the SDK and a Lua state."""
