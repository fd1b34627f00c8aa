"""``livemood web``: the page that reads a visitor's own camera in the browser."""

from contextlib import suppress
from pathlib import Path
from threading import Thread
from typing import Annotated

import typer

from livemood.cli.options import Force, Only
from livemood.cli.terminal import plain
from livemood.core.settings import ReaderSettings


def web(
    settings: Annotated[ReaderSettings, Only("prior", "model")],
    open_: Annotated[bool, typer.Option("--open/--no-open", help="Open the page in the browser.")] = True,
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="TCP port; 0 takes a free one.")] = 0,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="DIR", help="Write the page into a folder for any https host.")
    ] = None,
    force: Force = False,
) -> None:
    """Label webcam, photos and videos in the browser; nothing is installed or sent.

    The page is served on localhost only. The networks run in the browser, and pictures do not leave it.

    Examples:
      livemood web
      livemood web --port 8080 --no-open
      livemood web --out public/
    """
    from livemood.apps.web import PageServer, write_page

    if out is not None:
        if port:
            raise typer.BadParameter(
                "a page written with --out is not served; leave one of them out", param_hint="--port"
            )
        size = write_page(out, settings.model, settings.prior, force=force)
        print(f"written: {plain(out)} ({size / 1e6:.1f} MB); serve it over https, or browsers allow no camera")
        return
    if force:
        raise typer.BadParameter("there is no page to replace; add --out", param_hint="--force")
    with PageServer.open(port, settings.model, settings.prior) as server, suppress(KeyboardInterrupt):
        print(f"{server.url}  (Ctrl-C ends it)", flush=True)
        # In the background, as some browsers run in the foreground until they are closed.
        serving = Thread(target=server.serve, name="livemood-server", daemon=True)
        serving.start()
        if open_ and not _opened(server.url):
            print("no browser could be opened; open the address yourself", flush=True)
        serving.join()


def _opened(url: str) -> bool:
    import webbrowser

    try:
        return webbrowser.open(url)
    except webbrowser.Error:
        return False
