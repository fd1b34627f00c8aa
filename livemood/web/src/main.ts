/** Start of the page. `?start=1` starts the camera at once, for kiosks and tests. */

import { fetchFile } from "./failure";
import { App } from "./page/app";
import { lacking } from "./page/browser";
import { takeDrops } from "./page/drops";
import { Stage } from "./page/stage";
import { type Trouble, outdated, readerTrouble } from "./page/trouble";
import type { Settings } from "./settings";

const base = new URL(".", document.baseURI);
const stage = new Stage();

async function begin(): Promise<App> {
  const settings = await fetchFile(base, "settings.json", (answer) => answer.json() as Promise<Settings>);
  const app = new App(base, settings, stage);
  Object.assign(globalThis, { livemood: app.live });
  if (new URLSearchParams(location.search).get("start") === "1") void app.startCamera();
  return app;
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
