"""``livemood crop``: crop faces from photos and videos, for labelling and training."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from livemood.cli.options import Force, Only, opened, seconds
from livemood.cli.photo_output import phrase
from livemood.cli.summary import note_skipped
from livemood.cli.terminal import plain, tell
from livemood.core.counts import counted
from livemood.core.errors import LivemoodError
from livemood.core.settings import ReaderSettings


def crop(
    paths: Annotated[
        list[Path], typer.Argument(metavar="PATH...", readable=False, help="Photos, folders of photos, or videos.")
    ],
    settings: Annotated[ReaderSettings, Only("detector", "model")],
    out: Annotated[Path, typer.Option("--out", help="Folder for the crops and index.csv.")],
    sort: Annotated[
        bool, typer.Option("--sort", help="Put each crop into a folder named after its predicted emotion.")
    ] = False,
    every: Annotated[
        float,
        typer.Option("--every", metavar="TIME", parser=seconds, help="Time between the frames taken of a video."),
    ] = 1.0,
    size: Annotated[int, typer.Option("--size", min=48, max=1024, help="Side of the crops in pixels.")] = 192,
    force: Force = False,
) -> None:
    """Crop every face, aligned as for the model, in colour.

    Look through the crops, move each into a folder named after its class, and train on OUT. index.csv lists their
    sources; with it, livemood train keeps the crops of one video in one split. With --force, crops are added to those
    of an earlier run, and those of the same photo or video are replaced. Crops that you have moved into another folder
    are kept, and their faces are not cropped again.

    Examples:
      livemood crop holiday/ --out faces
      livemood crop clip.mp4 --out faces --sort --every 0.5
    """
    from livemood.apps.crop_faces import CropJob, crop_faces

    skipped: list[LivemoodError] = []

    def skip(error: LivemoodError) -> None:
        skipped.append(error)
        tell(f"{phrase(error)}; skipped")

    with opened(settings) as session:
        cropped = crop_faces(CropJob(paths, out, sort, every, size, force), session, skip)
    # Of a folder, photos alone are read; what other commands do with a video is of no use here.
    note_skipped(
        replace(one, why="name it itself to crop its faces") if one.kind == "video" else one for one in cropped.skipped
    )
    if cropped.index:
        print(f"{counted(cropped.count, 'face')} in {plain(out)}, listed in {plain(cropped.index)}")
    else:
        print("No face was found.")
    if skipped:
        raise typer.Exit(1)
