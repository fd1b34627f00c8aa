"""Every failure livemood reports by itself; each also is the standard exception a caller would expect."""


class LivemoodError(Exception):
    """Base of all errors that livemood raises on purpose; the message is one line meant for a person."""


class SourceError(LivemoodError, OSError):
    """Pictures could not be read."""


class CameraUnavailable(SourceError):
    """A camera could not be opened or stopped delivering."""


class VideoUnreadable(SourceError):
    """A file or stream holds no video that can be decoded."""


class ImageUnreadable(SourceError):
    """A file is not a picture that can be decoded."""


class ModelError(LivemoodError):
    """A model bundle cannot be used."""


class ModelMissing(ModelError, FileNotFoundError):
    """A bundle, or a file that its manifest names, is not there."""


class ModelIncompatible(ModelError, ValueError):
    """A bundle is there but broken, altered or of another kind."""


class SinkError(LivemoodError, OSError):
    """A result could not be written or shown."""


class DatasetError(LivemoodError, ValueError):
    """Training pictures or labels are unusable."""
