/** The document of `livemood/apps/page_settings.py`: every constant that the page shares with the Python package. */

export type Colour = readonly [number, number, number];

/** When a candidate is a face; see `EvidenceSettings` in `livemood/core/stage_settings.py`. */
export interface EvidenceSettings {
  readonly proposed_from: number;
  readonly smallest_px: number;
  readonly sure_from: number;
  readonly weakest: number;
  readonly yunet_floor: number;
  readonly floor: number;
  readonly ceiling: number;
  readonly yunet: number;
  readonly near: number;
  readonly far: number;
  readonly share: number;
  readonly smallest_share: number;
  readonly group: number;
  readonly group_size: number;
  readonly group_from: number;
  readonly group_ratio: number;
  readonly edge: number;
  readonly edge_reach: number;
  readonly bias: number;
  readonly near_window: number;
  readonly far_window: number;
  readonly min_iou: number;
  readonly keypoints_from: number;
}

/** At which sizes a frame is searched; sizes are of the longer side, px. */
export interface SearchSettings {
  readonly turned_evidence: number;
  readonly frame_px: number;
  readonly fine_frame_px: number;
  readonly most_candidates: number;
  readonly kept_from: number;
}

export interface DetectorSettings {
  readonly min_score: number;
  readonly max_overlap: number;
  readonly evidence: EvidenceSettings;
  readonly search: SearchSettings;
}

export interface YuNetSettings {
  readonly file: string;
  /** Input size that the file declares, px. */
  readonly side_px: number;
  readonly strides: readonly number[];
  readonly same_face: number;
  /** Ears, (x, y) from the middle between the eyes in eye distances. */
  readonly ears: readonly (readonly [number, number])[];
  readonly eyes_apart: number;
  /** BlazeFace's box relative to YuNet's: offset downwards, width and height. */
  readonly lower: number;
  readonly width: number;
  readonly height: number;
}

export interface RoiSettings {
  readonly full_frame_every_s: number;
  readonly fine_every: number;
  readonly redetect_every_s: number;
  readonly max_faces: number;
  readonly window_scale: number;
  readonly smallest_px: number;
  readonly min_iou: number;
  readonly same_window: number;
  readonly cut_change: number;
  /** Number of pixels at which two frames are compared, across and down. */
  readonly sampled: readonly [number, number];
}

export interface FlowSettings {
  readonly side_px: number;
  /** Tracked points, in box widths and heights from the box's centre. */
  readonly grid: readonly (readonly [number, number])[];
  readonly most_change: number;
  readonly fewest_agreeing: number;
  readonly most_growth: number;
}

export interface TrackerSettings {
  readonly max_missed_s: number;
  readonly max_jump: number;
  readonly velocity_tau_s: number;
  readonly coasting_s: number;
}

/** When a face is `unsure` although an emotion leads; explained in `livemood/core/stage_settings.py`. */
export interface DoubtSettings {
  readonly covered_from: number;
  readonly turned_from_deg: number;
  readonly small_below_px: number;
  readonly chosen_below: number;
  readonly sharp_from: number;
  readonly blur_slope: number;
  readonly detail_slope: number;
  readonly noise_from: number;
  readonly noise_slope: number;
  readonly clip_slope: number;
  readonly uncovered_to: number;
  readonly cover_slope: number;
  readonly upright_to: number;
  readonly tilt_slope: number;
  readonly most_needed: number;
}

export interface SmootherSettings {
  readonly tau_s: number;
  readonly unsure_below: number;
  readonly margin: number;
  readonly hold_s: number;
  readonly forget_s: number;
  readonly doubt: DoubtSettings;
}

/** How a resting face is estimated over time; explained in `livemood/core/stage_settings.py`. */
export interface RestingFaceSettings {
  readonly sample_every_s: number;
  readonly max_samples: number;
  readonly min_samples: number;
  readonly raised: string;
  readonly min_rise: number;
  readonly noise_quantile: number;
  readonly noise_factor: number;
  readonly max_raise: number;
  readonly steepness: number;
  readonly raised_sample_every: number;
  readonly lower_from: number;
  readonly same_pose: number;
  readonly other_pose: number;
}

export interface BaselineSettings {
  readonly duration_s: number;
  readonly margin: number;
  readonly limit: number;
  readonly forget_s: number;
  readonly resting: RestingFaceSettings;
}

/** Feature maps of a BlazeFace network: cells per side, and anchors per cell. */
export type AnchorMaps = readonly (readonly [number, number])[];

export interface BlazeFaceSettings {
  /** By the side of the network's input, px. */
  readonly maps: Readonly<Record<string, AnchorMaps>>;
  readonly same_face: number;
  readonly averaged_from: number;
  readonly near: string;
  readonly far: string;
}

export interface CropSettings {
  readonly size_px: number;
  readonly colour: "grey" | "bgr";
  /** Right eye, left eye, nose tip and mouth, as fractions of the crop. */
  readonly template: readonly (readonly [number, number])[];
  readonly max_supersampling: number;
}

/** One question that the network answers. */
export interface HeadSettings {
  readonly name: string;
  readonly labels: readonly string[];
  readonly temperature: number;
  /** Added to the logits for another class prior: a number per label, or none. */
  readonly offsets: readonly number[];
}

export interface EmotionSettings {
  readonly name: string;
  /** How common emotions are assumed to be. */
  readonly prior: "training" | "balanced";
  readonly file: string;
  readonly crop: CropSettings;
  /** The first one is the emotion. */
  readonly heads: readonly HeadSettings[];
}

/** Constants of `livemood/emotion/quality.py`. */
export interface QualitySettings {
  /** File of the network for covered faces. */
  readonly covered: string;
  /** File of the network for tilted faces. */
  readonly tilted: string;
  /** Side of their input, px. */
  readonly network_side_px: number;
  /** Whether the crops are framed as those they were trained on. */
  readonly has_trained_framing: boolean;
  /** `covered` and `tilted` of `Quality` where they are not. */
  readonly not_measured: number;
  readonly steady: number;
  readonly black_to: number;
  readonly white_from: number;
  /** Side of the crops that are measured, px. */
  readonly reference_px: number;
  readonly nose: number;
  readonly least: number;
  /** Rows of a 3x3 mask. */
  readonly noise_kernel: readonly (readonly number[])[];
  readonly noise_of_response: number;
  readonly noise_steady: number;
  readonly noise_least: number;
}

export interface OverlaySettings {
  readonly colours: Readonly<Record<string, Colour>>;
  readonly dark: Colour;
  readonly bright: Colour;
  readonly dim: Colour;
  readonly plate_opacity: number;
  readonly forehead: number;
  readonly mosaic_cells: number;
  readonly mosaic_margin: number;
}

export interface HistorySettings {
  readonly length_s: number;
  readonly bin_s: number;
  readonly bridged: number;
  readonly most_rows: number;
}

/** Colours of labels in charts, as #rrggbb. */
export interface Palettes {
  readonly light: Readonly<Record<string, string>>;
  readonly dark: Readonly<Record<string, string>>;
}

/** Style and texts of the Python package's report page. */
export interface ReportSettings {
  readonly css: string;
  readonly meaning: string;
}

/** Of the gap between rows after which a person was away. */
export interface GapSettings {
  readonly shortest_s: number;
  /** Number of points, where these are far apart. */
  readonly steps: number;
}

export interface ChangeSettings {
  readonly window_s: number;
  readonly least: number;
  readonly kept: number;
}

export interface Settings {
  readonly version: string;
  readonly unsure: string;
  readonly records_version: number;
  readonly keypoints: readonly string[];
  readonly detector: DetectorSettings;
  readonly roi: RoiSettings;
  readonly flow: FlowSettings;
  readonly tracker: TrackerSettings;
  readonly smoother: SmootherSettings;
  readonly baseline: BaselineSettings;
  readonly blazeface: BlazeFaceSettings;
  readonly yunet: YuNetSettings;
  readonly emotion: EmotionSettings;
  readonly quality: QualitySettings;
  readonly overlay: OverlaySettings;
  readonly history: HistorySettings;
  readonly gaps: GapSettings;
  readonly changes: ChangeSettings;
  readonly palettes: Palettes;
  readonly report: ReportSettings;
  readonly keys: readonly (readonly [string, string])[];
  /** sha256 of every model file, hex, by its path from the page. */
  readonly sha256: Readonly<Record<string, string>>;
}

/** The emotion head's labels. */
export function emotionLabels(settings: Settings): readonly string[] {
  return settings.emotion.heads[0]!.labels;
}
