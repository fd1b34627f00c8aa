/** Files saved through the browser's downloads. */

/** A file name like that of the live window: `livemood-20261128-221500.png`. */
function fileName(suffix: string, now = new Date()): string {
  const two = (value: number): string => String(value).padStart(2, "0");
  const date = `${now.getFullYear()}${two(now.getMonth() + 1)}${two(now.getDate())}`;
  return `livemood-${date}-${two(now.getHours())}${two(now.getMinutes())}${two(now.getSeconds())}.${suffix}`;
}

/** Hand a file to the browser's downloads; return its name. */
export function save(file: Blob, suffix: string): string {
  const name = fileName(suffix);
  const link = document.createElement("a");
  link.href = URL.createObjectURL(file);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
  return name;
}
