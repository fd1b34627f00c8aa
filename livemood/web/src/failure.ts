/** Errors of the page and its worker, and the fetching of files. */

export type FailureKind = "runtime" | "model" | "reading";

/** Pictures cannot be processed: the runtime or a file could not be loaded, or processing failed. */
export class Failure extends Error {
  constructor(
    readonly kind: FailureKind,
    detail: string,
  ) {
    super(detail);
  }
}

/** The message of whatever was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Fetch a file of the page and return its content, as `read` gets it. Throws a Failure that names the file. */
export async function fetchFile<T>(base: URL, file: string, read: (answer: Response) => Promise<T>): Promise<T> {
  try {
    const answer = await fetch(new URL(file, base));
    if (!answer.ok) throw new Error(`the host answers ${answer.status}`);
    return await read(answer);
  } catch (error) {
    throw new Failure("model", `${file}: ${messageOf(error)}`);
  }
}
