"""Which routes are there, and what does each answer?  Read-only for now."""

from __future__ import annotations

from typing import Any, Final

import attrs
from aiohttp import web

from plughost.gateway.answers import answer_json, stand_at_the_door
from plughost.gateway.bridge import TrioPort
from plughost.gateway.lobby import Lobby

__all__ = ["make_app"]

# No route reads a body yet; this bounds what a client can make us hold.
_MAX_BODY_BYTES: Final = 64 * 1024


def make_app(port: TrioPort, lobby: Lobby) -> web.Application:
    """Return the application that answers for the host in *lobby*."""
    routes = _Routes(port, lobby)
    app = web.Application(middlewares=[stand_at_the_door], client_max_size=_MAX_BODY_BYTES)
    app.add_routes(
        [
            web.get("/healthz", routes.live),
            web.get("/readyz", routes.ready),
            web.get("/v1/plugins", routes.plugins),
            web.get("/v1/plugins/{name}", routes.plugin),
            web.get("/v1/plugins/{name}/health", routes.health),
            web.get("/v1/tools", routes.tools),
        ]
    )
    return app


@attrs.frozen
class _Routes:
    """The handlers; what they ask the host runs in trio, where the host lives."""

    port: TrioPort
    lobby: Lobby

    async def live(self, _request: web.Request) -> web.Response:
        return answer_json({"status": "ok"})

    async def ready(self, _request: web.Request) -> web.Response:
        async def count() -> dict[str, Any]:
            states = [each.state for each in self.lobby.admit().plugins()]
            return {"status": "ready", "plugins": len(states), "ready": states.count("ready")}

        return answer_json(await self.port.call(count))

    async def plugins(self, _request: web.Request) -> web.Response:
        async def look() -> list[dict[str, Any]]:
            return [each.to_json() for each in self.lobby.admit().plugins()]

        return answer_json(await self.port.call(look))

    async def plugin(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]

        async def look() -> dict[str, Any]:
            host = self.lobby.admit()
            record = host.health(name).to_json()
            return {**record, "tools": [each.tool.to_json() for each in host.tools(name)]}

        return answer_json(await self.port.call(look))

    async def health(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]

        async def look() -> dict[str, Any]:
            return self.lobby.admit().health(name).to_json()

        return answer_json(await self.port.call(look))

    async def tools(self, _request: web.Request) -> web.Response:
        async def look() -> list[dict[str, Any]]:
            return [each.to_json() for each in self.lobby.admit().tools()]

        return answer_json(await self.port.call(look))
