/** Start of the page. `?start=1` starts the camera at once, for kiosks and tests. */

import { App } from "./page/app";
import { lacking } from "./page/browser";
import { takeDrops } from "./page/drops";
import { ReaderFailure } from "./page/reader";
import { Stage } from "./page/stage";
import { type Trouble, outdated, readerTrouble } from "./page/trouble";
import type { Settings } from "./settings";

const base = new URL(".", document.baseURI);
const stage = new Stage();

async function begin(): Promise<App> {
  const app = new App(base, await fetchSettings(), stage);
  Object.assign(globalThis, { livemood: app.live });
  if (new URLSearchParams(location.search).get("start") === "1") void app.startCamera();
  return app;
}

async function fetchSettings(): Promise<Settings> {
  try {
    const answer = await fetch(new URL("settings.json", base));
    if (!answer.ok) throw new Error(`the host answers ${answer.status}`);
    return (await answer.json()) as Settings;
  } catch (error) {
    throw new ReaderFailure("model", `settings.json: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** Show that the page cannot start. */
function showFatal(trouble: Trouble): void {
  stage.tell(trouble);
  stage.enable(false);
}

const missing = lacking();
if (missing === null) {
  const app = begin();
  app.catch((error: unknown) => showFatal(readerTrouble(error)));
  takeDrops((files) => void app.then((started) => started.openDropped(files)).catch(() => undefined));
} else {
  showFatal(outdated(missing));
}
