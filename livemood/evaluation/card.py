"""Write MODEL_CARD.md from measured figures (form: Mitchell et al., "Model cards for model reporting", 2019)."""

import re
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from string import Template
from typing import Any

from livemood.bundles.manifest import MANIFEST, Bundle, Head, read_bundle, shortened
from livemood.core.counts import counted
from livemood.core.errors import ModelIncompatible
from livemood.core.labels import EMOTIONS
from livemood.evaluation.pictures import report_pictures
from livemood.evaluation.tables import people_tables, smile_tables, tables
from livemood.reporting import plots
from livemood.reporting.tables import Table, measured
from livemood.runtime.atomic_io import atomic_write

CARD = "MODEL_CARD.md"
PICTURES = "card"
"""Folder of the pictures of a card, beside it."""

_PAGE = Template("""\
# Model card: $name

Made by `livemood evaluate`; every figure is measured, none is typed in.

## The model

- Input: one aligned face, $size x $size px, $channels, raw values 0..255. Output: probabilities of $labels.
- A small residual network ($megabytes MB as `model.tflite`, $weights weights), $origin.
- Probabilities are calibrated by one temperature, $temperature, fitted on the validation split (Guo et al., 2017).
$prior- A face takes $ratio of the time of one near-range face detection on a VGA frame (one thread, same run).
- Licence of the code: Apache-2.0. Version of livemood: $livemood.

## Intended use

Labels on video for demonstrations, art, games, film and teaching, where the people shown know of it; sorting your own
pictures; research on expressions. A label says what an expression **looks like** to most people, not what someone
feels.

## Not for

- Judging people: hiring, credit, insurance, policing, border control, education, health, truthfulness.
- Emotion inference at work and in education, which the European Union's AI Act prohibits (Article 5 (1) f).
- Watching people who do not know of it or cannot say no.

## What the labels do not mean

$meaning

## Data

$data

## How it was trained

$training

## Figures

Measured on the $split split of $dataset ($count) with the bundle as it is served: LiteRT, no test-time
augmentation, single model$measured_prior.

$tables$heads

![Confusion matrix, top vote, in percent of each row]($pictures/confusion.png)
![Reliability diagram]($pictures/reliability.png)
$smiles$people
## Limits

$limits

## Reproduce

$again
""")

_FERPLUS_MEANING = """\
Ten people voted on each small grey still picture, without context; the label is the most frequent vote. One voter
agrees with the other nine on 77 % of the pictures with a majority, which limits the accuracy that any model can reach.
A resting face, age, make-up or concentration can look like an emotion that is not there. Intense crying and laughing
cannot be distinguished on a still picture, by people either."""

_FOLDER_MEANING = """\
A picture's label is the one in the data set, such as the name of its folder: the judgement of the person who sorted the
pictures."""

_FERPLUS_DATA = """\
FER2013's faces (Goodfellow et al., 2013: pictures found on the web by search words, 48x48 px, grey) with the ten votes
per picture of FER+ (Barsoum et al., 2016, MIT licence). The pictures are for research; the people in them were not
asked and are not recorded. None of the pictures is part of this project."""

_SMILE_HEAD_DATA = """ The kinds of
smile of 2,431 of FER+'s happy training pictures were labelled by eye, once; the others have weak labels from
MediaPipe's blendshapes, which are not shipped. The head was chosen by a part of these pictures and by 662 faces of
SMILEsmileD (hromi; from Labeled Faces in the Wild; no terms stated), labelled in the same way."""

_SMILES_DATA = """ Smiles were checked on photos of the MPLab GENKI-4K Dataset,
which took no part in training."""

_FERPLUS_LIMITS = Template("""\
- FER+ says nothing of who is in its pictures, so age, gender and origin could not be audited there.$smiles$people
- Rare classes (disgust, contempt, fear) have few test pictures, so their intervals are wide.
- Children, glasses, beards, masks, strong light from one side and turned heads are not reported on their own.
- Calibration holds for pictures like the test split's; on a webcam confidences can be off.""")

_FOLDER_LIMITS = Template("""\
- Who is in the pictures is not known to livemood; compare groups of your own with `livemood evaluate`.$smiles$people
- Few pictures make wide intervals: read those, not only the figures beside them.
- Calibration holds for pictures like those it was measured on.""")

_SMILES_LIMITS = """ Skin tone and head
  pose are audited on smiles only: that says nothing of other emotions. Skin tone is estimated from photos in unknown
  light."""


_PEOPLE_LIMITS = """ Gender,
  ethnicity and age band are audited on neutral faces and smiles of few people, posed in one studio."""


def write_card(folder: Path, report: Mapping[str, Any], command: str) -> None:
    """Write ``MODEL_CARD.md`` and its pictures into a bundle.

    Args:
        folder: The bundle.
        report: Of ``examine``, with ``bundle``, ``data`` and ``split``, ``votes`` and ``find_faces`` as
            ``livemood evaluate`` was given them, and ``smiles`` and ``people`` where they were measured.
        command: What measures the model again, for the card.

    Raises:
        ModelError: The bundle cannot be read, or its manifest describes its training in another form than livemood's.
        LivemoodError: matplotlib is not installed.
        SinkError: The files cannot be written.
    """
    bundle = read_bundle(folder)
    # Older manifests lack ``ferplus_votes``: infer it from the FER2013 figure.
    crowd = bundle.training.get("ferplus_votes", bundle.labels == EMOTIONS and "fer2013_accuracy" in bundle.metrics)
    try:
        recorded = _recorded(bundle, crowd, command)
        if bundle.training:
            plots.learning_curves(bundle.training["history"], folder / PICTURES / "learning.png")
    except (LookupError, TypeError, ValueError, AttributeError, OverflowError) as error:
        what = f"it has no {error}" if isinstance(error, KeyError) else shortened(error)
        raise ModelIncompatible(
            f"training or metrics in {folder / MANIFEST} are not as livemood writes them ({what})"
        ) from error
    report_pictures(report, folder / PICTURES)
    smiles = report.get("smiles")
    text = _PAGE.substitute(
        recorded,
        name=bundle.name,
        size=bundle.crop.size_px,
        channels="grey" if bundle.crop.colour == "grey" else "BGR",
        labels="; ".join(f"{head.name}: {', '.join(head.labels)}" for head in bundle.heads),
        megabytes=f"{bundle.tflite.stat().st_size / 1e6:.1f}",
        temperature=bundle.temperature,
        ratio=report["speed"]["ratio"],
        meaning=_FERPLUS_MEANING if crowd else _FOLDER_MEANING,
        data=(_FERPLUS_DATA if crowd else f"{_code(report['data'])}.")
        + (_SMILES_DATA if smiles else "")
        + (_SMILE_HEAD_DATA if crowd and "smile" in bundle.metrics else ""),
        pictures=PICTURES,
        split=report["split"],
        prior=_prior(bundle.heads[0]),
        measured_prior="" if report["prior"] == "training" else f", class prior `{report['prior']}`",
        dataset=_code(report["data"]),
        count=counted(report["pictures"], "picture"),
        tables=_sections(tables({**report, "smiles": None, "people": None})),
        smiles=_smiles(smiles) if smiles else "",
        people=_people(report["people"]) if report.get("people") else "",
        limits=(_FERPLUS_LIMITS if crowd else _FOLDER_LIMITS).substitute(
            smiles=_SMILES_LIMITS if smiles else "", people=_PEOPLE_LIMITS if report.get("people") else ""
        ),
    )
    with atomic_write(folder / CARD, None, force=True) as part:
        part.write_text(text, encoding="utf-8")


def _recorded(bundle: Bundle, crowd: bool, command: str) -> dict[str, str]:
    """Return the parts of the card that the manifest's record of training and metrics gives.

    Raises:
        LookupError, TypeError, ValueError, AttributeError, OverflowError: They are not as livemood writes them.
    """
    training = bundle.training
    measured_then = [*_second_head(bundle.metrics), *_smile_head(bundle.metrics)]
    return {
        "origin": _origin(training),
        "weights": "int8" if training.get("quantised") else "float16",
        "livemood": training["environment"].get("livemood", "not installed, a checkout") if training else "not known",
        "training": _training(training, crowd) if training else "The manifest does not say.",
        "heads": f"\n\n{_sections(measured_then)}" if measured_then else "",
        "again": _again(training, command),
    }


def _prior(head: Head) -> str:
    """Return what the card says of the class priors; nothing if the bundle has one only."""
    if not any(head.balanced):
        return ""
    added = (f"{label} {number:+.2f}" for label, number in zip(head.labels, head.balanced, strict=True) if number)
    return (
        "- The model assumes that emotions are as common as in its training data. For data in which they are nearer to "
        f"equally common, the prior `balanced` adds to the logits: {', '.join(added)}.\n"
    )


def _origin(training: Mapping[str, Any]) -> str:
    if not training:
        return "of unknown origin"
    return f"initialised from {', '.join(training['from'])}" if training.get("from") else "trained from scratch"


def _training(training: Mapping[str, Any], crowd: bool) -> str:
    settings, pictures = training["settings"], training["pictures"]
    hours, minutes = divmod(round(training["wall_s"] / 60), 60)
    best = f"of which epoch {training['best_epoch']} had the least error on valid"
    lines = [
        f"- {counted(pictures['train'], 'picture')} for training, {pictures['valid']} for validation, "
        f"{pictures['test']} for test. Left out because the same pixels are in valid or test: "
        f"{counted(training['copies_removed'], 'training picture')}.",
        f"- Both framings in equal parts: as they come, and aligned by MediaPipe's networks "
        f"(a face was found in {measured(training['faces_found'])}).",
        f"- {counted(training['epochs'], 'epoch')} in {hours} h {minutes} min, "
        f"{best if training['best_epoch'] else 'ended before any was measured on valid'}; "
        f"preset `{settings['preset']}`, batch {settings['batch']}, SGD with Nesterov "
        f"momentum, peak rate {settings['learning_rate']:.4g}, cosine decay, averaged weights, "
        f"seed {settings['seed']}.",
        f"- {'Soft votes' if crowd else 'Labels'} as targets; random mirror, roll, zoom, shift, gamma, side light, "
        "blur, noise, JPEG, erasing.",
    ]
    if training.get("class_balance_strength"):
        lines.append(
            f"- Rare classes: logits adjusted by {training['class_balance_strength']} times the log of how common such "
            "a class is, chosen on valid, part of the last bias (Menon et al., 2020)."
        )
    if training.get("happy_offset"):
        lines.append(
            f"- {training['happy_offset']:+} on happy's logit, so that on valid it is predicted as often as it is the "
            "top vote."
        )
    if training.get("others_offset"):
        lines.append(
            f"- {training['others_offset']:+} on the logits of all classes but neutral and happy (rare ones: half): "
            "class shares are fitted to people who are neutral less often than in the labels, at 0.6 points of "
            "accuracy on valid at most."
        )
    if settings.get("blends"):
        lines.append(f"- Most pictures blended with one of {settings['blends']} others, which is fainter (mixup).")
    if training.get("teachers"):
        lines.append(
            f"- Distilled from {', '.join(training['teachers'])}, with a weight of {settings['distil_weight']} in the "
            "targets."
        )
    return "\n".join(lines) + f"\n\n![Learning curves]({PICTURES}/learning.png)"


def _second_head(metrics: Mapping[str, Any]) -> list[Table]:
    if "fer2013_accuracy" not in metrics:
        return []
    rows = (("FER2013's own labels, seven classes, by the second head", measured(metrics["fer2013_accuracy"])),)
    note = "That head shares the network in training and is not shipped."
    return [Table("FER2013", ("figure", "value"), rows, note)]


def _smile_head(metrics: Mapping[str, Any]) -> list[Table]:
    smile = metrics.get("smile", {})
    names = {
        "open_or_closed_auc": "open against closed smiles, AUC",
        "open_or_closed_auc_of_happy": "the same by the probability of happy alone",
        "open_read_as_open": "open smiles read as open",
        "closed_read_as_closed": "closed smiles read as closed",
        "closed_called_happy": "closed smiles called happy",
        "smile_or_none_auc": "smile against none, AUC",
    }
    rows = tuple((text, measured(smile[name])) for name, text in names.items() if name in smile)
    note = (
        "By the head `smile`, which was trained on a map of the finished network, so that the emotions are the same "
        "without it. Photos of `smiles.zip`, whose kinds of smile were labelled by eye for this measurement only."
    )
    return [Table("Kinds of smile", ("figure", "value"), rows, note)] if rows else []


def _smiles(data: Mapping[str, Any]) -> str:
    darkest, lightest = data["skin_tone_cuts_deg"]
    intro = (
        "\n## Smiles, end to end\n\n"
        "Whole photos, nothing cropped by hand: the largest found face's top emotion must be happy exactly if the "
        "photo is labelled as a smile; a photo without a face found is wrong. Intervals: 95 %, Wilson. Skin tone: "
        f"individual typology angle of the cheeks, thirds cut at {darkest}° and {lightest}°, over photos with a face. "
        "Head turned: yaw as labelled, over all photos.\n\n"
    )
    return intro + _sections(smile_tables(data)) + "\n"


def _people(data: Mapping[str, Any]) -> str:
    intro = (
        "\n## People, by group\n\n"
        f"A neutral and a smiling photo of each of the {data['people']} people of {_code(data['file'])}, who "
        "stated their groups themselves; a face that is not found counts as wrong. After rest: the neutral photo was "
        "shown for 5 s, from which the baseline learned the resting face, and then the photo. Intervals: 95 %, "
        "Wilson.\n\n"
    )
    return intro + _sections(people_tables(data)) + "\n"


def _sections(found: Sequence[Table]) -> str:
    return "\n\n".join(f"### {escape(table.title, quote=False)}\n\n{table.markdown()}" for table in found)


def _code(text: str) -> str:
    """Return a text as code in Markdown, with more backticks around it than are in it."""
    fence = "`" * (1 + max(map(len, re.findall("`+", text)), default=0))
    return f"{fence} {text} {fence}" if len(fence) > 1 else f"`{text}`"


def _again(training: Mapping[str, Any], command: str) -> str:
    measure = f"    {command}"
    if not training:
        return measure
    known = {name: value for name, value in training["environment"].items() if value}
    where = ", ".join(f"{name} {value}" for name, value in known.items())
    return (
        f"    {training.get('command') or 'livemood train'}\n{measure}\n\n"
        f"Environment: {where}. The history of every epoch is in `{MANIFEST}`."
    )
