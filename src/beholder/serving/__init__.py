"""What every server of Beholder shares: its log, its guard, its tokens and how it is run."""

from beholder.serving.files import CurrentFiles
from beholder.serving.guard import Bodies, Guard, GuardKind, Refuse, path_of
from beholder.serving.logs import RequestLog, configure_logs, request_id
from beholder.serving.running import run
from beholder.serving.tokens import load_or_create_token, matches, new_token

__all__ = [
    "Bodies",
    "CurrentFiles",
    "Guard",
    "GuardKind",
    "Refuse",
    "RequestLog",
    "configure_logs",
    "load_or_create_token",
    "matches",
    "new_token",
    "path_of",
    "request_id",
    "run",
]
