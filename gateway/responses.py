"""The responses that the chat API gives."""

import orjson
from starlette.responses import Response


class Json(Response):
    media_type = "application/json"

    def render(self, content: object) -> bytes:
        return orjson.dumps(content)
