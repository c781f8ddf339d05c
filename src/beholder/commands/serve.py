"""The command that serves a store: its pages and its interface."""

import json
import os
import sys
from pathlib import Path

import click

from beholder.commands.options import PATH, json_option
from beholder.extras import needs


@click.command(short_help="Serve a store: the explorer's pages and the API.")
@click.argument("store")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", type=click.IntRange(0, 65535), default=8090, show_default=True)
@click.option("--token-file", type=PATH, help="Where the token lies; made where it is absent.")
@click.option("--root-path", default="", help="Prefix under which a proxy shows the server.")
@click.option("--forwarded-allow-ips", default="", help="Proxies to believe, or *.")
@click.option(
    "--open/--no-open",
    "open_page",
    default=None,
    help="Open the first page in a browser; by default if a person started the server.",
)
@json_option
def serve(
    store: str,
    host: str,
    port: int,
    token_file: Path | None,
    root_path: str,
    forwarded_allow_ips: str,
    open_page: bool | None,
    as_json: bool,
) -> None:
    """Serve STORE, a folder or a URL, until Ctrl-C: pages to explore it, and an interface.

    On a loopback address this machine is answered without a token. On any other, or with
    --token-file, a token is wanted; without a file one is made and printed.
    """
    _share_the_processor()
    with needs("serve"):
        from beholder.retrieval.opening import open_store
        from beholder.retrieval.service import LOG, Settings, create_app
        from beholder.retrieval.service.access import is_loopback
        from beholder.serving import configure_logs, load_or_create_token, new_token, run

    opened = open_store(store)
    token = made = None
    if token_file is not None:
        token = load_or_create_token(token_file)
    elif not is_loopback(host):
        token = made = new_token()
    prefix = "/" + root_path.strip("/") if root_path.strip("/") else ""
    app = create_app(opened, Settings(token, prefix))

    def ready(url: str) -> None:
        stated = {"url": url, "store": store, "wants_token": token is not None}
        if made is not None:
            stated["token"] = made
        if as_json:
            click.echo(json.dumps(stated))
        else:
            click.echo(f"ready on {url}")
            if made is not None:
                click.echo(f"the token, shown this once: {made}")
        if open_page or (open_page is None and not as_json and _is_with_a_person()):
            click.launch(url)

    configure_logs(LOG)
    run(
        app,
        host,
        port,
        ready=ready,
        root_path=prefix,
        forwarded_allow_ips=forwarded_allow_ips,
    )


def _share_the_processor() -> None:
    """Let a search take one thread, before a library is loaded that would take more.

    Encoding a query is many small products, whose threads wait for one another and take the
    processor from those that answer requests.
    """
    os.environ.setdefault("OMP_NUM_THREADS", "1")


def _is_with_a_person() -> bool:
    return sys.stdout.isatty()
