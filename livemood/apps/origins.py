"""The origin that records state: version, model, source and settings."""

from collections.abc import Mapping
from dataclasses import fields
from fractions import Fraction
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from livemood import __version__
from livemood.bundles.manifest import named_bundle, read_bundle
from livemood.core.settings import ReaderSettings
from livemood.core.text_tables import utf8
from livemood.core.video_info import VideoInfo
from livemood.emotion.backends.registry import sha256_of_weights
from livemood.records import Origin
from livemood.records.origin import MAX_TEXT
from livemood.runtime.storage import is_url

if TYPE_CHECKING:
    from livemood.emotion.classifier import Classifier
    from livemood.sources.base import Source


def changed(settings: Any) -> dict[str, Any]:
    """Return the settings of a dataclass that differ from their defaults, by name."""
    values = ((field, getattr(settings, field.name)) for field in fields(settings))
    return {field.name: value for field, value in values if value != field.default}


def origin_of_run(
    reader: ReaderSettings, detector: str, classifier: "Classifier", source: "Source", options: Mapping[str, Any]
) -> Origin:
    """Return the origin of the records of one source.

    Args:
        reader: How faces are found and read.
        detector: Name of the detector in use.
        classifier: The model in use.
        source: Open.
        options: Further settings of the run that change the records.
    """
    from livemood.emotion.classifier import EmotionClassifier

    info = source.info
    rate, duration_s = (None, None) if source.live else (info.average_rate, _duration_s(info))
    about = __version__, _name(source.name), info.width, info.height, rate, duration_s
    if not isinstance(classifier, EmotionClassifier):
        return Origin(*about, options={"detector": detector, "engine": type(classifier).__name__, **options})
    chosen = {"emotions": list(classifier.labels)} if reader.emotions else {}
    options = {"detector": detector, "engine": classifier.engine, **chosen, **_prior(reader), **options}
    return Origin(*about, classifier.name, classifier.sha256, options)


def origin_of_collection(reader: ReaderSettings) -> Origin:
    """Return the origin of records of many photos, without opening the model.

    Raises:
        ModelMissing: The model is not there.
        ModelIncompatible: Its manifest is broken.
    """
    bundle = read_bundle(named_bundle(reader.model))
    chosen = {"emotions": list(reader.emotions)} if reader.emotions else {}
    options = {"detector": reader.detector, "engine": reader.engine, **chosen, **_prior(reader)}
    return Origin(__version__, model=bundle.name, sha256=sha256_of_weights(bundle, reader.engine), options=options)


def _prior(reader: ReaderSettings) -> dict[str, str]:
    return {} if reader.prior == "training" else {"prior": reader.prior}


def _name(source: str) -> str:
    """Return the name of a source without folders; a stream's is an address already without passwords and keys."""
    if is_url(source):
        name = source
    elif source == "-":
        name = "stdin"
    else:
        name = PurePath(source).name or source
    return utf8(name)[:MAX_TEXT]


def _duration_s(info: VideoInfo) -> float | None:
    if info.picture_end_s is not None:
        return round(info.picture_end_s - (info.start_s or info.first_s), 6)
    return None if info.frame_count is None else round(float(Fraction(info.frame_count) / info.average_rate), 6)
