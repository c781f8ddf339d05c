"""Files of the pages themselves, such as scripts and styles."""

from typing import Any

from starlette.responses import Response
from starlette.staticfiles import StaticFiles


class CurrentFiles(StaticFiles):
    """The pages' files; a browser asks each time whether its copy is current."""

    async def get_response(self, path: str, scope: Any) -> Response:
        """Return a file that may be kept but has to be asked for again."""
        response = await super().get_response(path, scope)
        response.headers["Cache-Control"] = "no-cache"
        return response
