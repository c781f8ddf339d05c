"""A study's server as the pages see it, in a thread, keeping in memory what it receives."""

from __future__ import annotations

import io
import json
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import resources
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jinja2
from PIL import Image
from screen_targets import HEIGHT, TARGETS, WIDTH, Targets, image_with

PAGES = resources.files("beholder.collect").joinpath("pages")
TYPES = {".js": "text/javascript", ".css": "text/css"}
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; "
    "connect-src 'self'; form-action 'self' https://www.mturk.com; base-uri 'none'; "
    "frame-ancestors 'none'"
)
RADIUS = 40.0
HOSTILE = "<script>document.title='broken'</script><img src=x onerror=alert(1)>"


@dataclass
class Study:
    """What the study asks, and how its server behaves; tests change what they are about."""

    languages: tuple[str, ...] = ("en", "es")
    title: str = "Looking at pictures"
    tasks: list[dict[str, Any]] = field(
        default_factory=lambda: [
            {
                "kind": "bubbles",
                "name": "look",
                "minimum_clicks": 2,
                "maximum_clicks": 20,
                "minimum_seconds": 0,
                "maximum_seconds": 0,
            },
            {
                "kind": "caption",
                "name": "describe",
                "prompt": "Describe the image.",
                "template": None,
                "image": "blurred",
                "minimum_characters": 5,
                "maximum_characters": 200,
                "maximum_seconds": 0,
            },
        ]
    )
    practice: int = 1
    trials: int = 2
    labels: tuple[str, ...] = ("no", "rather no", "neither", "rather yes", "yes")
    items: dict[str, str] = field(
        default_factory=lambda: {"calm": "am calm", "party": "am the life of the party"}
    )
    shuffle: bool = False
    calibration: str = "optional"
    minimum_width: int = 320
    consent: str = "You look at images.\n\nYou may stop at any time."
    exit: dict[str, Any] = field(default_factory=lambda: {"kind": "none"})
    door: str | None = None  # an outcome at the door
    token: str | None = None
    width: int = WIDTH
    height: int = HEIGHT
    targets: Targets = field(default_factory=lambda: dict(TARGETS))

    def definition(self, language: str) -> dict[str, Any]:
        messages = json.loads(PAGES.joinpath("messages", f"{language}.json").read_text("utf-8"))
        survey = {
            "title": "Ten items",
            "notice": "Public domain.",
            "stem": "I …",
            "labels": list(self.labels),
            "minimum": 1,
            "maximum": len(self.labels),
            "shuffle": self.shuffle,
            "items": [{"key": key, "text": text} for key, text in self.items.items()],
        }
        return {
            "name": "fake",
            "title": self.title,
            "language": language,
            "languages": list(self.languages),
            "contact": "lab@example.org",
            "consent": {"version": "1", "text": self.consent},
            "instructions": None,
            "debrief": None,
            "tasks": self.tasks,
            "survey": survey if self.items else None,
            "device": {
                "minimum_width": self.minimum_width,
                "minimum_height": 300,
                "inputs": ["mouse", "touch", "keyboard"],
                "calibration": self.calibration,
                "viewing_distance_cm": 50,
            },
            "platforms": ["link"],
            "messages": messages,
        }

    def picture(self, *, sharp: bool) -> bytes:
        """Targets on dark grey; nothing but light grey where it is blurred."""
        blurred = Image.new("RGB", (self.width, self.height), "#b0b0b0")
        image = image_with(self.targets, self.width, self.height) if sharp else blurred
        buffer = io.BytesIO()
        image.save(buffer, "png")
        return buffer.getvalue()


class FakeServer:
    """Serves a `Study`; `plan` says how the coming saves are answered."""

    def __init__(self, study: Study) -> None:
        self.study = study
        self.language = study.languages[0]
        self.consented = self.checked = self.finished = False
        self.outcome: str | None = None
        self.saved: dict[str, dict[str, Any]] = {}  # by trial, and "survey"
        self.received: list[tuple[str, dict[str, Any]]] = []
        self.plan: list[int | float] = []  # a status refuses a save, a fraction delays it (seconds)
        self.lock = threading.Lock()
        handler = type("Handler", (_Handler,), {"fake": self})
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}/"
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()

    @property
    def plan_of_trials(self) -> list[str]:
        practice = [f"practice{n}" for n in range(1, self.study.practice + 1)]
        return practice + [f"trial{n}" for n in range(1, self.study.trials + 1)]

    def bodies(self, address: str) -> list[dict[str, Any]]:
        """Return what was posted to an address, in order, refused or not."""
        with self.lock:
            return [body for at, body in self.received if at == address]

    def state(self) -> dict[str, Any]:
        coming = [trial for trial in self.plan_of_trials if trial not in self.saved]
        stage = self._stage(coming)
        trial = self._trial(coming[0]) if stage in ("practice", "trials") else None
        following = f"api/images/{coming[1]}/blurred" if trial and len(coming) > 1 else None
        over = stage in ("done", "closed")
        outcome = self.outcome or "complete"
        return {
            "session": None if self.study.door else "s1",
            "stage": stage,
            "language": self.language,
            "languages": list(self.study.languages),
            "platform": "link",
            "pilot": False,
            "server_time_ms": round(time.time() * 1000),
            "progress": {kind: self._count(kind) for kind in ("practice", "trials")},
            "trial": trial,
            "next_blurred": following,
            "completion": {
                "outcome": outcome,
                "code": "C0MPLETE" if outcome == "complete" else None,
                "receipt": "abcd1234",
                "exit": self.study.exit,
            }
            if over
            else None,
        }

    def _stage(self, coming: list[str]) -> str:
        if self.study.door == "preview":
            return "preview"
        if self.outcome is not None:
            return "closed"
        if not self.consented:
            return "consent"
        if not self.checked:
            return "device"
        if coming:
            return "practice" if coming[0].startswith("practice") else "trials"
        if self.study.items and "survey" not in self.saved:
            return "survey"
        return "done" if self.finished else "debrief"

    def _count(self, kind: str) -> dict[str, int]:
        kind = kind.removesuffix("s")
        planned = [trial for trial in self.plan_of_trials if trial.startswith(kind)]
        return {"saved": sum(trial in self.saved for trial in planned), "total": len(planned)}

    def _trial(self, trial: str) -> dict[str, Any]:
        kind = trial.rstrip("0123456789")
        area = {"x": 0.45, "y": 0.45, "width": 0.1, "height": 0.1, "name": "cup"}
        return {
            "id": trial,
            "kind": kind,
            "number": int(trial.removeprefix(kind)),
            "image": {
                "width": self.study.width,
                "height": self.study.height,
                "blurred": f"api/images/{trial}/blurred",
                "sharp": f"api/images/{trial}/sharp",
            },
            "bubble_radius_px": RADIUS,
            "areas": [area] if kind == "practice" else [],
        }

    def post(self, address: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """Answer a request, as the contract says."""
        with self.lock:
            self.received.append((address, body))
        step = address.removeprefix("api/session").strip("/")
        if step.startswith("trials/") or step == "survey":
            return self._save(step.removeprefix("trials/"), body)
        with self.lock:
            if step == "":
                self.language = body["language"] or self.language
                if self.study.door not in (None, "preview"):
                    self.outcome = self.study.door
                return 200, {**self.state(), "token": self.study.token}
            if step == "language":
                self.language = body["language"]
            elif step == "consent":
                self.consented = body["agreed"]
                self.outcome = None if body["agreed"] else "no_consent"
            elif step == "device":
                self.checked = True
            elif step == "finish":
                self.finished = True
            elif step == "leave":
                self.outcome = "left"
            return 200, self.state()

    def _save(self, name: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        answer = self.plan.pop(0) if self.plan else 0
        if isinstance(answer, float):
            time.sleep(answer)
        elif answer != 0:
            code = {409: "already_saved", 422: "invalid"}.get(answer, "unavailable")
            return answer, {"error": {"code": code, "message": "No.", "fields": []}}
        with self.lock:
            before = self.saved.setdefault(name, body)
            if before["client_id"] != body["client_id"]:
                refusal = {"code": "already_saved", "message": "Another was first.", "fields": []}
                return 409, {"error": refusal}
            return 200, {"saved": True, "duplicate": before is not body, "state": self.state()}


class _Handler(BaseHTTPRequestHandler):
    fake: FakeServer
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        address = urlsplit(self.path)
        path = address.path.lstrip("/")
        study = self.fake.study
        if path == "":
            self._send(200, "text/html; charset=utf-8", self._page().encode())
        elif path.startswith("static/"):
            kind = TYPES["." + path.rpartition(".")[2]]
            self._send(200, kind, PAGES.joinpath(path).read_bytes())
        elif path == "api/definition":
            asked = parse_qs(address.query)["language"][0]
            language = asked if asked in study.languages else study.languages[0]
            self._json(200, study.definition(language))
        elif path == "api/session":
            self._json(200, self.fake.state())
        elif path.startswith("api/images/"):
            self._send(200, "image/png", study.picture(sharp=path.endswith("sharp")))
        else:
            self._json(404, {"error": {"code": "not_found", "message": "No.", "fields": []}})

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        assert self.headers["Content-Type"] == "application/json"
        self._json(*self.fake.post(self.path.lstrip("/"), body))

    def _page(self) -> str:
        study = self.fake.study
        asked = parse_qs(urlsplit(self.path).query).get("lang", [study.languages[0]])[0]
        environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined)
        source = PAGES.joinpath("templates", "participant.html").read_text("utf-8")
        scripts = sorted(file.name for file in PAGES.joinpath("static").iterdir())
        return environment.from_string(source).render(
            language=asked,
            languages=study.languages,
            title=study.title,
            contact="lab@example.org",
            modules=[s for s in scripts if s.endswith(".js") and not s.startswith("researcher")],
        )

    def _json(self, status: int, body: dict[str, Any]) -> None:
        self._send(status, "application/json", json.dumps(body).encode())

    def _send(self, status: int, kind: str, body: bytes) -> None:
        self.send_response(status)
        headers: Iterable[tuple[str, str]] = [
            ("Content-Type", kind),
            ("Content-Length", str(len(body))),
            ("Content-Security-Policy", POLICY),
            ("X-Content-Type-Options", "nosniff"),
            ("Cache-Control", "no-store"),
        ]
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Stay quiet."""
