/** What the visitor asked for last. */

/**
 * Each request aborts the one before it, so that whatever comes late (a camera, a file, a network) never takes the place
 * of what the visitor has chosen since.
 */
export class Requests {
  #newest = new AbortController();

  /** Begin a request; its signal is aborted as soon as another one begins. */
  begin(): AbortSignal {
    this.#newest.abort();
    this.#newest = new AbortController();
    return this.#newest.signal;
  }
}
