"""Every default of the program, once."""

from dataclasses import dataclass, field

from livemood.values import CropSpec

# Medians of MediaPipe's keypoints over FER2013's crops: right eye, left eye, nose tip, mouth (docs/crop.md).
FER2013_TEMPLATE = ((0.318, 0.399), (0.687, 0.395), (0.506, 0.604), (0.510, 0.780))
# A tenth tighter about the middle of the crop: strangers are read better so, FER+ as well (docs/training.md).
TIGHTER_TEMPLATE = ((0.2998, 0.3889), (0.7057, 0.3845), (0.5066, 0.6144), (0.511, 0.808))
CROP = CropSpec(size_px=48, colour="grey", template=TIGHTER_TEMPLATE)


@dataclass(frozen=True, slots=True)
class DetectorSettings:
    """Attributes:
    min_score: Faces below this detector score (0..1) are dropped.
    close_side: Faces at least this share of the frame's shorter side are the near-range network's.
    max_overlap: Two boxes sharing more than this of the smaller one are the same face.
    """

    min_score: float = 0.5
    close_side: float = 0.42
    max_overlap: float = 0.5


@dataclass(frozen=True, slots=True)
class FollowerSettings:
    """Attributes:
    look_every_s: The whole frame is looked at so often; in between, only a window around each known face is. A face
        that joins others is seen this much late at most. 0 looks at every whole frame.
    refresh_s: The network looks at a known face so often; in between, optical flow tells where it went.
    max_faces: With more faces than this, windows take longer than the whole frame, which is then looked at instead.
    window_scale: Side of a window, in face widths.
    smallest_px: Narrower faces are looked for in the whole frame; enlarged, they are not found more surely.
    min_iou: Least overlap with the face of the frame before, 0..1.
    same_window: A window that shares at least this much (IoU, 0..1) with the best one stays where it is.
    cut_change: A frame whose brightness (0..255) changes more than this on average shows another scene, which is
        looked at as a whole.
    """

    look_every_s: float = 0.18
    refresh_s: float = 0.3
    max_faces: int = 8
    window_scale: float = 2.25
    smallest_px: float = 40.0
    min_iou: float = 0.3
    same_window: float = 0.8
    cut_change: float = 20.0


@dataclass(frozen=True, slots=True)
class TrackerSettings:
    """Attributes:
    max_missed_s: A face not found for longer is forgotten; when it comes back it is someone new.
    max_jump: Farthest a face may land from where it was heading, in face widths.
    velocity_tau_s: Time constant of the averaged velocity.
    """

    max_missed_s: float = 1.0
    max_jump: float = 1.0
    velocity_tau_s: float = 0.15


@dataclass(frozen=True, slots=True)
class SmootherSettings:
    """Attributes:
    tau_s: Time constant of the averaged probabilities.
    unsure_below: A leading emotion under this confidence is not named.
    margin: By how much a new emotion must lead the shown one.
    hold_s: For how long it must lead.
    forget_s: A track not seen for longer leaves no trace; no shorter than the tracker's own memory.
    """

    tau_s: float = 0.17
    unsure_below: float = 0.4
    margin: float = 0.1
    hold_s: float = 0.12
    forget_s: float = 2.0


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings of one run."""

    detector: DetectorSettings = field(default_factory=DetectorSettings)
    follower: FollowerSettings = field(default_factory=FollowerSettings)
    tracker: TrackerSettings = field(default_factory=TrackerSettings)
    smoother: SmootherSettings = field(default_factory=SmootherSettings)


@dataclass(frozen=True, slots=True)
class CalibrationSettings:
    """Attributes:
    duration_s: How long resting faces are looked at.
    margin: By how much, in logits, neutral is to lead every other emotion on a resting face.
    limit: Most that an emotion is lowered, in logits: one that the model gives e**limit times the probability of
        every other stays the leading one whatever was calibrated.
    forget_s: The calibration of a track not seen for longer is dropped; no shorter than the tracker's own memory.
    """

    duration_s: float = 3.0
    margin: float = 0.25
    limit: float = 1.0
    forget_s: float = 2.0


@dataclass(frozen=True, slots=True)
class CaptureSettings:
    """What a live source is asked for, and how long it is waited for.

    Attributes:
        width: Wished width, px; None leaves it to the source.
        height: Wished height, px.
        fps: Wished pictures per second; for a folder, how many are shown per second.
        pixel_format: Four letters such as ``MJPG`` or ``YUYV`` for a camera; ``bgr24``, ``rgb24`` or ``gray`` on stdin.
        loop: Begin a file or folder again at its end.
        timeout_s: How long opening, or one picture, may take.
        frozen_s: The same picture for longer is called frozen, none for longer is called stalled.
        retry_s: Wait before the first new try at a lost source; doubles with each.
        retry_longest_s: Longest wait between two tries.
        give_up_s: A source lost for longer ends the run.
    """

    width: int | None = None
    height: int | None = None
    fps: float | None = None
    pixel_format: str | None = None
    loop: bool = False
    timeout_s: float = 5.0
    frozen_s: float = 3.0
    retry_s: float = 0.5
    retry_longest_s: float = 8.0
    give_up_s: float = 120.0
