"""The page on which a browser is given the token once, and the way out."""

from importlib import resources
from pathlib import Path
from urllib.parse import parse_qs

import jinja2
from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.responses import Response

from beholder.retrieval.service.access import COOKIE, COOKIE_SECONDS, cookie_for
from beholder.serving import matches

FORMS = ("/enter", "/leave")


def entering_routes(token: str | None) -> APIRouter:
    """Return the routes ``/enter`` and ``/leave``; without a token everybody is inside."""
    router = APIRouter(include_in_schema=False)
    folder = Path(str(resources.files("beholder.retrieval").joinpath("service", "templates")))
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(folder),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
    )

    def page(request: Request, to: str, status: int) -> Response:
        template = environment.get_template("enter.html")
        html = template.render(base=_root(request), to=_own(to), is_wrong=status == 401)
        return HTMLResponse(html, status)

    @router.get("/enter")
    def enter_page(request: Request, to: str = "/") -> Response:
        if token is None:
            return RedirectResponse(f"{_root(request)}/", 303)
        return page(request, to, 200)

    @router.post("/enter")
    async def enter(request: Request) -> Response:
        form = parse_qs((await request.body()).decode("utf-8", "replace"))
        given, to = form.get("token", [""])[0].strip(), form.get("to", ["/"])[0]
        if token is not None and not matches(given, token):
            return page(request, to, 401)
        answer = RedirectResponse(_root(request) + _own(to), 303)
        if token is not None:
            answer.set_cookie(
                COOKIE,
                cookie_for(token),
                max_age=COOKIE_SECONDS,
                path=_root(request) or "/",
                secure=request.url.scheme == "https",
                httponly=True,
                samesite="strict",
            )
        return answer

    @router.post("/leave")
    def leave(request: Request) -> Response:
        answer = RedirectResponse(f"{_root(request)}/enter", 303)
        answer.delete_cookie(COOKIE, path=_root(request) or "/", httponly=True, samesite="strict")
        return answer

    return router


def _root(request: Request) -> str:
    return str(request.scope.get("root_path", "")).rstrip("/")


def _own(to: str) -> str:
    """Return a path of this site: anything else would lead visitors elsewhere."""
    is_own = to.startswith("/") and not to.startswith("//") and to.isprintable()
    return to if is_own and "\\" not in to else "/"
