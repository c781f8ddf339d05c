"""What keeps a hostile browser out: the policy of every answer and a bound on bodies."""

from starlette.responses import Response
from starlette.types import Scope

from beholder.collect.answers import refusal
from beholder.collect.definition import Definition
from beholder.collect.refusals import RefusedError
from beholder.serving import GuardKind

MOST_BYTES = 1024 * 1024
_MTURK_FRAMES = "https://*.mturk.com"


def content_security_policy(definition: Definition) -> str:
    """Return the policy of every answer: nothing inline, nothing from elsewhere."""
    platforms = definition.platforms
    with_mturk = "mturk" in platforms.allowed
    hosts = [f"https://{host}" for host in platforms.mturk.submit_hosts] if with_mturk else []
    frames = [_MTURK_FRAMES] if with_mturk else ["'none'"]
    return "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "img-src 'self' blob: data:",
            "connect-src 'self'",
            " ".join(["form-action 'self'", *hosts]),
            "base-uri 'none'",
            " ".join(["frame-ancestors", *frames]),
        )
    )


def refuse(_scope: Scope, kind: GuardKind, sentence: str) -> Response:
    """Return what the guard answers, in the form of all refusals."""
    return refusal(RefusedError(kind, sentence))
