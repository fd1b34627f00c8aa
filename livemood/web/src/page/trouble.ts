/** Error messages of the page: what happened, and what to do. */

import { Failure, messageOf } from "../failure";

export interface Trouble {
  readonly what: string;
  readonly remedy: string;
}

export const PLAIN_HTTP: Trouble = {
  what: "The browser gives a camera only to pages that come over https or from this computer, and this one came over plain http.",
  remedy: "Open its https address, or run “livemood web” on this computer. Photos and videos can be read all the same.",
};
/** Of a browser without something that the page needs. */
export function outdated(missing: string): Trouble {
  return {
    what: `This browser cannot run this page: it has no ${missing}.`,
    remedy: "Update it, or open this page in a current Chrome, Edge, Firefox or Safari.",
  };
}
export const UNPLUGGED: Trouble = {
  what: "The camera is gone: it was unplugged or turned off, or this page may not use it any more.",
  remedy: "Plug it in or allow it again, and reading goes on by itself; or press Stop and start again.",
};
export const TAKEN_AWAY: Trouble = {
  what: "The camera is gone: this page may not use it any more.",
  remedy: "Allow it again with the icon next to the address, and reading goes on by itself.",
};
export const STALLED: Trouble = {
  what: "The camera gives no pictures.",
  remedy: "Look whether its cover is closed or another program uses it; then press Stop and start again.",
};
export const FILM_HELD: Trouble = {
  what: "The film is paused, by the system or by a key for media.",
  remedy: "Press space to go on, or Stop to end it here.",
};
/** Of a file that the visitor chose. */
export function unreadable(name: string): Trouble {
  return {
    what: `“${name}” is no photo or video that the browser can show.`,
    remedy: "Try a JPEG, PNG or WebP photo, or an MP4 or WebM video.",
  };
}
/** Of a video or a film that broke off while it played. */
export function damaged(what: "video" | "film", timeS: number): Trouble {
  return {
    what: `The ${what} is damaged: the browser could play it up to ${timeS.toFixed(1)} s only.`,
    remedy: "What was read so far can be saved; try another copy of the file for the rest.",
  };
}
export const NO_RECORDER: Trouble = {
  what: "This browser cannot record.",
  remedy: "Save snapshots or the records instead, or open this page in another browser.",
};

export const RECORDING_ENDED: Trouble = {
  what: "The browser ended the recording: it cannot encode these pictures.",
  remedy: "Record again, or save snapshots or the records instead.",
};

const CAMERA: Readonly<Record<string, Trouble>> = {
  NotAllowedError: {
    what: "The camera was refused.",
    remedy: "Allow it with the icon next to the address, or in the system's privacy settings; then start again.",
  },
  NotFoundError: {
    what: "No camera was found.",
    remedy: "Plug one in and start again, or choose a photo or a video.",
  },
  NotReadableError: {
    what: "The camera is in use by another program, or does not answer.",
    remedy: "Close the other program (a video call, another tab), then start again.",
  },
  OverconstrainedError: {
    what: "The chosen camera is not there any more.",
    remedy: "Choose another one, then start again.",
  },
};

/** Return why a camera could not be opened. */
export function cameraTrouble(error: unknown): Trouble {
  const name = error instanceof DOMException ? error.name : "";
  return (
    CAMERA[name] ?? {
      what: `The camera could not be opened (${messageOf(error) || name}).`,
      remedy: "Start again, or load the page again.",
    }
  );
}

/** Return why pictures cannot be processed. */
export function readerTrouble(error: unknown): Trouble {
  const detail = messageOf(error);
  const kind = error instanceof Failure ? error.kind : "reading";
  if (kind === "model") {
    return {
      what: `A file of the page did not arrive (${detail}).`,
      remedy: "Check the connection and load the page again; if it stays so, the page was published without it.",
    };
  }
  if (kind === "runtime") {
    return {
      what: `The networks could not be started (${detail}).`,
      remedy: "Load the page again, or open it in a current Chrome, Edge, Firefox or Safari.",
    };
  }
  return { what: `Reading ended (${detail}).`, remedy: "Load the page again." };
}
