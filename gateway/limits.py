"""Token buckets: how much one address, one visitor or everybody together may ask for."""

import ipaddress
import logging
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from redis.asyncio import Redis
from redis.exceptions import RedisError

log = logging.getLogger(__name__)
MOST_BUCKETS = 50_000
# A visitor's bucket by this gateway's name and not the client's, so that several gateways share one count.
_SCRIPT = """
local bucket = redis.call('HMGET', KEYS[1], 'tokens', 'at')
local capacity, per_second = tonumber(ARGV[1]), tonumber(ARGV[2])
local time = redis.call('TIME')
local now = tonumber(time[1]) + tonumber(time[2]) / 1000000
local tokens = math.min(capacity, (tonumber(bucket[1]) or capacity) + (now - (tonumber(bucket[2]) or now)) * per_second)
local wait = 0
if tokens >= 1 then tokens = tokens - 1 else wait = (1 - tokens) / per_second end
redis.call('HSET', KEYS[1], 'tokens', tostring(tokens), 'at', tostring(now))
redis.call('EXPIRE', KEYS[1], math.ceil(capacity / per_second) + 1)
return tostring(wait)
"""


@dataclass(frozen=True)
class Rate:
    """So many at once, and as many again in each minute."""

    per_minute: int

    @property
    def per_second(self) -> float:
        return self.per_minute / 60


class Limiter(Protocol):
    async def wait_for(self, key: str, rate: Rate) -> float:
        """Takes one token; 0 if there was one, else the seconds until the next."""
        ...

    async def close(self) -> None: ...


class LocalLimiter:
    """Buckets in this process; the least used are forgotten."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    async def wait_for(self, key: str, rate: Rate) -> float:
        now = self._clock()
        tokens, at = self._buckets.pop(key, (float(rate.per_minute), now))
        tokens = min(float(rate.per_minute), tokens + (now - at) * rate.per_second)
        wait = 0.0
        if tokens >= 1:
            tokens -= 1
        else:
            wait = (1 - tokens) / rate.per_second
        self._buckets[key] = (tokens, now)
        if len(self._buckets) > MOST_BUCKETS:
            self._buckets.popitem(last=False)
        return wait

    async def close(self) -> None:
        self._buckets.clear()


class RedisLimiter:
    """Buckets shared by several gateways; without Redis each gateway counts for itself."""

    def __init__(self, url: str) -> None:
        self._redis: Redis = Redis.from_url(url, socket_timeout=0.5, socket_connect_timeout=0.5)
        self._script = self._redis.register_script(_SCRIPT)
        self._alone = LocalLimiter()

    async def wait_for(self, key: str, rate: Rate) -> float:
        try:
            return float(await self._script(keys=[f"desk:limit:{key}"], args=[rate.per_minute, rate.per_second]))
        except (RedisError, OSError) as error:
            log.warning("redis does not count error=%s", type(error).__name__)
            return await self._alone.wait_for(key, rate)

    async def close(self) -> None:
        await self._redis.aclose()


def address_key(host: str) -> str:
    """One household's address: an IPv6 customer owns a whole /64."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is None:
        return str(ipaddress.ip_network((address, 64), strict=False))
    return str(getattr(address, "ipv4_mapped", None) or address)
