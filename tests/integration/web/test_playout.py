"""The buffer between camera and screen, run without a browser."""

from tests.integration.web.page_code import output_of

_SCRIPT = """
const open = new Set();
const picture = (index) => {
  const bitmap = { index, close: () => open.delete(bitmap) };
  open.add(bitmap);
  return bitmap;
};
let answer = null;
const reader = {
  get busy() { return answer !== null; },
  read: (stamp, bitmap) => new Promise((resolve) => {
    answer = () => { answer = null; resolve({ stamp, bitmap, moods: [] }); };
  }),
};
const playout = new page.Playout(reader, () => undefined, () => undefined);
const atMs = (index) => performance.now() + 1000 * (index - 300) / 30;
// Ten seconds of a camera, before the networks have loaded.
for (let index = 0; index < 300; index++) playout.push({ index, timeS: index / 30 }, picture(index), atMs(index));
console.log(open.size);
for (const _ of [1, 2]) {
  answer();
  await new Promise((resolve) => setTimeout(resolve));
}
console.log(playout.take(performance.now() + 1000).stamp.index, open.size);
"""


def test_frames_when_the_networks_load_for_long_then_few_are_kept_and_the_newest_is_shown():
    kept, shown = output_of("playout", _SCRIPT).splitlines()
    assert 5 < int(kept) < 20
    assert shown == "299 1"
