"""HTTP for the host: the only room with an asyncio loop, and it holds no state of its own."""
