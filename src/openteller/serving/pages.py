"""What a browser loads: the widget's modules, the demo page, and the API's own documentation, all from this machine.

Swagger UI is the package fastapi-offline's, of which only the static files are used. Knows nothing about the API.
"""

from importlib.util import find_spec
from pathlib import Path, PurePosixPath

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

WIDGET = Path(__file__).parent / "widget"

_TYPES = {
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".svg": "image/svg+xml",
}
_CLOSED = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
DEMO_CSP = (
    f"{_CLOSED}; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "require-trusted-types-for 'script'"
)
# Swagger UI sets style attributes and draws its icons from data URLs.
DOCS_CSP = f"{_CLOSED}; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'"
_DOCS = """<!doctype html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <title>OpenTeller API</title>
  <link rel="icon" href="widget/mark.svg" type="image/svg+xml">
  <link rel="stylesheet" href="docs/swagger-ui.css">
</head>
<body>
  <div id="swagger-ui"></div>
  <script src="docs/swagger-ui-bundle.js"></script>
  <script src="docs/start.js"></script>
</body>
</html>
"""
_START = 'SwaggerUIBundle({ url: "openapi.json", dom_id: "#swagger-ui", deepLinking: true, validatorUrl: null });\n'
_NO_DOCS = (
    "<!doctype html><title>OpenTeller API</title><p>The API is described in <a href=openapi.json>openapi.json</a>."
)


class BrowserFiles(StaticFiles):
    """Files with the types browsers insist on, an ETag, and leave to keep them as long as they ask each time.

    Args:
        directory: the folder.
        names: the only ones to serve; None: every file of a known type.
        policy: the content security policy of the files.
    """

    def __init__(self, directory: Path, *, names: frozenset[str] | None = None, policy: str = DEMO_CSP) -> None:
        super().__init__(directory=directory, check_dir=False)
        self._names = names
        self._policy = policy

    async def get_response(self, path: str, scope: Scope) -> Response:
        """The file, or 304 when the browser has it; 404 for all else."""
        name = PurePosixPath(path)
        media_type = _TYPES.get(name.suffix)
        if media_type is None or (self._names is not None and str(name) not in self._names):
            raise HTTPException(404, "There is no such file.")
        response = await super().get_response(path, scope)
        if response.status_code == 200:
            response.headers["Content-Type"] = media_type
        response.headers["Cache-Control"] = "no-cache"
        response.headers["Content-Security-Policy"] = self._policy
        # Banks embed the widget in pages of other origins.
        response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
        return response


widget = BrowserFiles(WIDGET)


def docs_files() -> BrowserFiles | None:
    """Swagger UI's script and style; None when the package is not installed."""
    spec = find_spec("fastapi_offline")
    if spec is None or not spec.submodule_search_locations:
        return None
    folder = Path(spec.submodule_search_locations[0]) / "static"
    return BrowserFiles(folder, names=frozenset({"swagger-ui.css", "swagger-ui-bundle.js"}), policy=DOCS_CSP)


router = APIRouter(include_in_schema=False)


@router.get("/")
async def demo_page(request: Request) -> Response:
    """The demo bank's page with the widget on it."""
    return await widget.get_response("index.html", request.scope)


@router.get("/docs")
def docs_page() -> HTMLResponse:
    """The API's documentation."""
    page = _DOCS if find_spec("fastapi_offline") else _NO_DOCS
    return HTMLResponse(page, headers={"Content-Security-Policy": DOCS_CSP, "Cache-Control": "no-cache"})


@router.get("/docs/start.js")
def docs_start() -> Response:
    """What starts Swagger UI; a file of its own, so that the page needs no inline script."""
    return Response(_START, media_type="text/javascript", headers={"Cache-Control": "no-cache"})
