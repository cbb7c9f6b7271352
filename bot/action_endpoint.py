"""Calls to the action server over one kept connection, with no more in them than the actions read."""

from __future__ import annotations

import asyncio
from typing import Any

import aiohttp
import orjson
from rasa.shared.exceptions import RasaException
from rasa.utils.endpoints import ClientResponseError, EndpointConfig

# Actions answer customers who are waiting; the longest ones have their own, shorter, limits.
TIMEOUT_SECONDS = 15.0
# The bot's wording stays here: actions name a response, Rasa fills it in.
_DOMAIN_KEPT = ("version", "session_config", "intents", "entities", "slots", "forms", "actions")


class ActionServerUnreachable(RasaException):
    pass


class KeepAliveEndpoint(EndpointConfig):
    _session: aiohttp.ClientSession | None = None

    @classmethod
    def like(cls, endpoint: EndpointConfig) -> KeepAliveEndpoint:
        return cls(
            endpoint.url,
            endpoint.params,
            endpoint.headers,
            endpoint.basic_auth,
            endpoint.token,
            endpoint.token_name,
            **endpoint.kwargs,
        )

    async def request(
        self,
        method: str = "post",
        subpath: str | None = None,
        content_type: str | None = "application/json",
        compress: bool = False,
        **kwargs: Any,
    ) -> Any:
        """As Rasa's own, raising `ClientResponseError` when the answer is not a success."""
        call = kwargs.get("json") or {}
        body = orjson.dumps(self._slimmed(call), default=str)
        params = self.combine_parameters(kwargs)
        url = self.url if not subpath else f"{self.url.rstrip('/')}/{subpath.lstrip('/')}"
        try:
            async with self._connected().post(
                url,
                data=body,
                params=params,
                headers={**self.headers, "Content-Type": "application/json"},
                timeout=aiohttp.ClientTimeout(total=TIMEOUT_SECONDS),
            ) as response:
                if response.status >= 400:
                    raise ClientResponseError(response.status, response.reason or "", await response.content.read())
                return orjson.loads(await response.read())
        except (aiohttp.ClientConnectionError, asyncio.TimeoutError) as error:
            raise ActionServerUnreachable(type(error).__name__) from error

    def _connected(self) -> aiohttp.ClientSession:
        if self._session is None or self._session.closed:
            self._session = aiohttp.ClientSession(
                auth=aiohttp.BasicAuth(**self.basic_auth) if self.basic_auth else None,
                connector=aiohttp.TCPConnector(limit=64, keepalive_timeout=60),
            )
        return self._session

    @staticmethod
    def _slimmed(call: dict[str, Any]) -> dict[str, Any]:
        domain = call.get("domain")
        if not isinstance(domain, dict):
            return call
        return {**call, "domain": {key: domain[key] for key in _DOMAIN_KEPT if key in domain} | {"responses": {}}}

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
