"""Thresholds and weights of the stages, all from measurements; what users set is in ``settings``."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class EvidenceSettings:
    """When a candidate that YuNet proposes is a face: if the evidence, a weighted sum of logits of scores, is above 0.

    The weights were fitted by logistic regression on photos of groups and of other subjects, and measured on photos
    left out of the fit. The side of a face is the longer side of its box; scores are 0..1.

    Attributes:
        proposed_from: Candidates with a lower score of YuNet are dropped.
        smallest_px: Candidates with a shorter side, px of the picture, are dropped: too small to be read.
        sure_from: A candidate with this score of YuNet or more is a face without further evidence.
        weakest: Detections of the near and the far network with a lower score are dropped.
        yunet_floor: Lowest score that enters for YuNet, also where it detects nothing.
        floor: Lowest score that enters for the near and the far network, also where they detect nothing.
        ceiling: Highest score that enters for any network.
        yunet: Weight of YuNet's mean logit over the whole picture, a window, and the mirrored window.
        near: Weight of the near network's logit in its window.
        far: Weight of the far network's logit in its window.
        share: Weight of log(10 * side of the face / longer side of the picture).
        smallest_share: Smaller ratios of these sides enter as this one.
        group: Added if there are at least ``group_size`` other faces of about the same size.
        group_size: Number of other faces that make a group.
        group_from: Lowest YuNet score of such a face.
        group_ratio: Largest ratio of the sides of two faces in a group.
        edge: Added if the face's centre is closer to the picture's edge than ``edge_reach``.
        edge_reach: That distance, in sides of the face.
        bias: Always added.
        near_window: Side of the near network's window, in sides of the face.
        far_window: Side of the window of the far network and of YuNet's second run, in sides of the face.
        yunet_px: Size to which that window is scaled for YuNet.
        min_iou: Lowest IoU at which a detection in a window counts as one of the candidate.
        near_usual: Expected logit of the near network before it is run, where YuNet's mean logit is 0.
        near_usual_slope: Added to it for each 1 of YuNet's mean logit.
        reject_margins: In a photo with a sure face, a candidate is rejected early once its expected evidence is this
            far below what a face needs: by YuNet's first score, after its run on a window, after the near network,
            after YuNet's run on the mirrored window.
        accept_margins: There, it is a face once its expected evidence is this far above.
        keypoints_from: With this score of the near network or more, keypoints are its own; below it, YuNet's.
    """

    proposed_from: float = 0.4
    smallest_px: float = 15.0
    sure_from: float = 0.9
    weakest: float = 0.2
    yunet_floor: float = 0.25
    floor: float = 0.05
    ceiling: float = 0.98
    yunet: float = 2.56
    near: float = 0.58
    far: float = 0.2
    share: float = 0.86
    smallest_share: float = 0.02
    group: float = 3.16
    group_size: int = 3
    group_from: float = 0.85
    group_ratio: float = 1.8
    edge: float = 0.54
    edge_reach: float = 0.75
    bias: float = -3.21
    near_window: float = 2.25
    far_window: float = 4.5
    yunet_px: int = 224
    min_iou: float = 0.25
    near_usual: float = -1.9
    near_usual_slope: float = 0.8
    reject_margins: tuple[float, float, float, float] = (3.5, 2.5, 1.2, 0.6)
    accept_margins: tuple[float, float, float, float] = (3.0, 2.0, 1.5, 0.6)
    keypoints_from: float = 0.5


@dataclass(frozen=True, slots=True)
class SearchSettings:
    """At which sizes and orientations a picture is searched. Sizes are of the longer side, px.

    Attributes:
        photo_px: A larger photo is shrunk to this size for the first search.
        fine_px: Size of the second search of a photo that may hold small faces.
        fine_growth: Largest scale factor of the second search.
        fine_below: A face is small if its side is below this share of the photo's.
        fine_least: A photo that was not shrunk is searched again from this many small candidates on; a shrunk one from
            the first.
        bordered_px: Size to which a photo without a detection is scaled, inside a wide border, for a further search.
        upright_evidence: If no candidate in the upright photo reaches this evidence, the photo is searched rotated by
            90, 270 and 180 degrees.
        turned_px: Size of the rotated photo.
        turned_evidence: Evidence that a face in a rotated picture must exceed.
        frame_px: Size of a video frame in an ordinary search.
        fine_frame_px: Size of a video frame in a fine search.
        most_candidates: Largest number of candidates of a frame that the near and the far network confirm; of the
            others, those with a YuNet score of at least ``EvidenceSettings.group_from`` are faces.
        kept_from: Lowest YuNet score that confirms a known face.
    """

    photo_px: int = 1024
    fine_px: int = 2048
    fine_growth: float = 2.0
    fine_below: float = 0.03
    fine_least: int = 3
    bordered_px: int = 128
    upright_evidence: float = 4.2
    turned_px: int = 480
    turned_evidence: float = 3.2
    frame_px: int = 320
    fine_frame_px: int = 640
    most_candidates: int = 12
    kept_from: float = 0.3


@dataclass(frozen=True, slots=True)
class DetectorSettings:
    """How faces are found.

    Attributes:
        min_score: Faces below this score (0..1) of a BlazeFace network are dropped.
        close_side: In ``fast``, faces of at least this share of the frame's shorter side come from the near network.
        max_overlap: Two boxes sharing more than this of the smaller one are the same face.
        evidence: When a candidate is a face.
        search: At which sizes and orientations a picture is searched.
    """

    min_score: float = 0.5
    close_side: float = 0.42
    max_overlap: float = 0.5
    evidence: EvidenceSettings = field(default_factory=EvidenceSettings)
    search: SearchSettings = field(default_factory=SearchSettings)


@dataclass(frozen=True, slots=True)
class FlowSettings:
    """When the motion that optical flow finds counts; where it does not, a network detects the face again.

    Attributes:
        most_change: A tracked point counts if its patch changed by less than this on average, grey levels 0..255.
        fewest_agreeing: Smallest share of the points, 0..1, that must count, and that must move alike.
        most_growth: Largest factor by which a face grows or shrinks from one frame to the next.
    """

    most_change: float = 12.0
    fewest_agreeing: float = 0.6
    most_growth: float = 1.2


@dataclass(frozen=True, slots=True)
class RoiSettings:
    """How the known faces of a video are followed, and how often whole frames are searched.

    Attributes:
        full_frame_every_s: Interval between searches of the whole frame, s; in between, only a window around each known
            face is searched. A new face is found at most this late. 0 searches every whole frame.
        fine_every: Every Nth search is a fine one, which finds small faces too.
        redetect_every_s: Interval at which a network finds a known face again, s; in between, optical flow moves it.
        max_faces: Above this number of faces a full-frame detection is cheaper than windows, and is used instead.
        window_scale: Side of a window, in face widths.
        smallest_px: If a known face is narrower, every search is a fine one.
        min_iou: Least overlap with the face of the frame before, 0..1.
        same_window: A window that overlaps the best one by at least this (IoU, 0..1) stays in place.
        cut_change: A frame whose brightness (0..255) changes by more than this on average is a new scene and is
            searched as a whole.
        sampled: Number of pixels at which two frames are compared for this, across and down.
        flow: When the motion that optical flow finds counts.
    """

    full_frame_every_s: float = 0.18
    fine_every: int = 4
    redetect_every_s: float = 0.3
    max_faces: int = 32
    window_scale: float = 2.25
    smallest_px: float = 40.0
    min_iou: float = 0.3
    same_window: float = 0.8
    cut_change: float = 20.0
    sampled: tuple[int, int] = (32, 24)
    flow: FlowSettings = field(default_factory=FlowSettings)


@dataclass(frozen=True, slots=True)
class TrackerSettings:
    """How faces of successive frames are matched.

    Attributes:
        max_missed_s: A face not found for longer is forgotten, s; when it comes back it gets a new id.
        max_jump: Largest distance of a face from its predicted position, in face widths.
        velocity_tau_s: Time constant of the averaged velocity, s.
        coasting_s: Time constant of the velocity's decay while a face is missed, s: heads stop or turn soon.
    """

    max_missed_s: float = 1.0
    max_jump: float = 1.0
    velocity_tau_s: float = 0.15
    coasting_s: float = 0.5


@dataclass(frozen=True, slots=True)
class DoubtSettings:
    """When a face is ``unsure`` though an emotion leads; fitted on FER2013Valid (docs/doubt.md).

    Attributes:
        covered_from: A face with a higher ``Quality.covered`` is ``covered``.
        turned_from_deg: A face with a larger yaw is ``turned``.
        small_below_px: A face whose crop has a shorter side, px of the frame, is ``small``.
        chosen_below: A face with a lower ``Quality.chosen`` shows ``none of these``.
        sharp_from: Below this ``Quality.sharpness`` the leading emotion needs more confidence.
        blur_slope: Confidence needed in addition, for each 1 below ``sharp_from``.
        detail_slope: Confidence needed in addition, for each 1 of ``Quality.lost_detail`` above 0.
        noise_from: Above this ``Quality.noise`` the leading emotion needs more confidence.
        noise_slope: Confidence needed in addition, for each 1 above ``noise_from``.
        clip_slope: Confidence needed in addition, for each 1 of ``Quality.clipped``.
        uncovered_to: Above this ``Quality.covered`` the leading emotion needs more confidence.
        cover_slope: Confidence needed in addition, for each 1 above ``uncovered_to``.
        upright_to: Above this ``Quality.tilted`` the leading emotion needs more confidence.
        tilt_slope: Confidence needed in addition, for each 1 above ``upright_to``.
        most_needed: Upper limit of the confidence that is needed.
    """

    covered_from: float = 3.0
    turned_from_deg: float = 60.0
    small_below_px: float = 14.0
    chosen_below: float = 0.2
    sharp_from: float = -1.75
    blur_slope: float = 1.2
    detail_slope: float = 0.45
    noise_from: float = -2.2
    noise_slope: float = 0.2
    clip_slope: float = 0.6
    uncovered_to: float = -1.5
    cover_slope: float = 0.15
    upright_to: float = -2.0
    tilt_slope: float = 0.08
    most_needed: float = 0.95


@dataclass(frozen=True, slots=True)
class SmootherSettings:
    """How a face's emotion is averaged over time, and when its label changes.

    Attributes:
        tau_s: Time constant of the averages of probabilities and of ``Quality``, s.
        unsure_below: Below this confidence of the leading emotion the label is ``unsure``; ``doubt`` may ask for more.
        margin: Lead in probability that a new emotion needs over the shown one.
        hold_s: How long it must lead, and how long a face must be ``unsure`` or no longer be so, s.
        forget_s: The state of a track not classified for longer is dropped, s; no shorter than
            ``TrackerSettings.max_missed_s``.
        doubt: When a face is ``unsure`` although an emotion leads.
    """

    tau_s: float = 0.17
    unsure_below: float = 0.45
    margin: float = 0.1
    hold_s: float = 0.12
    forget_s: float = 2.0
    doubt: DoubtSettings = field(default_factory=DoubtSettings)


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings of one run."""

    detector: DetectorSettings = field(default_factory=DetectorSettings)
    roi: RoiSettings = field(default_factory=RoiSettings)
    tracker: TrackerSettings = field(default_factory=TrackerSettings)
    smoother: SmootherSettings = field(default_factory=SmootherSettings)


@dataclass(frozen=True, slots=True)
class RestingFaceSettings:
    """How a person's resting face is estimated over time (docs/live.md has the figures).

    The rise of a sample is that of the logit of ``raised`` over neutral, or the mean of this and of the log-odds of the
    head ``smile``, above their median at rest.

    Attributes:
        sample_every_s: Interval between samples of a face, s.
        max_samples: Number of newest samples of which the resting face is the median.
        min_samples: Number of samples before anything is changed.
        raised: The emotion that is raised above neutral, and never lowered.
        min_rise: Smallest rise at which a face is called ``raised``, logits.
        noise_quantile: Quantile of the rises at rest that measures how much they vary.
        noise_factor: The smallest rise is at least this multiple of that quantile.
        max_raise: Largest amount by which ``raised`` is raised, logits.
        steepness: Factor of the logit by which the probability of neutral and ``raised`` is redistributed.
        raised_sample_every: While ``raised`` leads only because it was raised, one sample in this many is kept.
        lower_from: Number of samples before other emotions are lowered.
        same_pose: Up to this distance of the nose from its place at rest, in eye distances, it is raised in full.
        other_pose: From this distance on it is not raised; in between, in part.
    """

    sample_every_s: float = 0.19
    max_samples: int = 300
    min_samples: int = 20
    raised: str = "happy"
    min_rise: float = 1.5
    noise_quantile: float = 0.9
    noise_factor: float = 2.5
    max_raise: float = 7.0
    steepness: float = 3.0
    raised_sample_every: int = 8
    lower_from: int = 150
    same_pose: float = 0.08
    other_pose: float = 0.12


@dataclass(frozen=True, slots=True)
class NeutralBaselineSettings:
    """How predictions are calibrated to a person's resting face.

    Attributes:
        duration_s: How long logits are averaged, s.
        margin: Lead of neutral over every other emotion on the resting face, in logits.
        limit: Largest amount by which an emotion is lowered, in logits; an emotion with e**limit times the probability
            of every other one always stays the leading one.
        forget_s: The calibration of a track not seen for longer is dropped, s; no shorter than
            ``TrackerSettings.max_missed_s``.
        resting: How the resting face is estimated over time.
    """

    duration_s: float = 3.0
    margin: float = 0.25
    limit: float = 1.0
    forget_s: float = 2.0
    resting: RestingFaceSettings = field(default_factory=RestingFaceSettings)
