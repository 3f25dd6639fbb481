"""The web app's files: a table made at the start, so no path can lead elsewhere."""

from pathlib import Path

from aiohttp import web

from frontend_api.guard import Call
from frontend_api.problems import Problem

DIST = Path(__file__).parent / "ui_dist"
_DRESSED = {".br", ".gz"}


class WebApp:
    """Serve what the build made; unknown names without a dot are the app's own."""

    def __init__(self, root: Path = DIST) -> None:
        self._files: dict[str, Path] = {}
        if root.is_dir():
            inside = root.resolve()
            for path in sorted(inside.rglob("*")):
                served = path.is_file() and not path.is_symlink()
                if served and path.suffix not in _DRESSED and path.name[0] != ".":
                    self._files[path.relative_to(inside).as_posix()] = path

    async def serve(self, call: Call) -> web.StreamResponse:
        """Answer with a file; aiohttp picks its .br or .gz sibling."""
        name = call.request.match_info["path"]
        path = self._files.get(name)
        if path is None:
            last = name.rpartition("/")[2]
            path = self._files.get("index.html") if "." not in last else None
        if path is None:
            raise Problem("gateway.not_found")
        hashed = path.parent.name == "assets"
        cache = "public, max-age=31536000, immutable" if hashed else "no-cache"
        return web.FileResponse(path, headers={"Cache-Control": cache})
