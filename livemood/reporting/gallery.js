"use strict";

const { labels, unsure, photos } = JSON.parse(document.getElementById("data").textContent);
const pictures = document.getElementById("thumbnails").textContent.trimStart().split("\n");
const byId = (id) => document.getElementById(id);
const [scroller, grid, detail] = ["scroller", "grid", "detail"].map(byId);
const TILE = { width: 184, height: 212 };
const known = [...labels, unsure];

photos.forEach((photo, place) => {
  photo.place = place;
  photo.faces ??= [];
  photo.top = Math.max(0, ...photo.faces.map((face) => face.sure));
});

// What else the model tells of a face, such as the kind of smile: a list to choose from for each.
const heads = new Map();
for (const { faces } of photos) {
  for (const face of faces) {
    for (const [head, label] of Object.entries(face.heads ?? {})) {
      if (!heads.has(head)) heads.set(head, new Set());
      heads.get(head).add(label);
    }
  }
}

function option(select, value, text = value) {
  select.add(new Option(text, value));
}

option(byId("label"), "*", "any");
for (const label of known) option(byId("label"), label);
option(byId("label"), "#none", "no face");
option(byId("label"), "#failed", "could not be read");
for (const [head, values] of heads) {
  const label = document.createElement("label");
  const select = document.createElement("select");
  label.append(`${head[0].toUpperCase()}${head.slice(1)} `, select);
  select.dataset.head = head;
  option(select, "*", "any");
  for (const value of [...values].sort()) option(select, value);
  byId("heads").append(label, " ");
}
const headSelects = [...document.querySelectorAll("[data-head]")];

let shown = [];
let current = 0;
let columns = 1;

function passes(photo) {
  const label = byId("label").value;
  const [least, most] = byId("faces").value.split("-");
  const sure = byId("sure").value / 100;
  const name = byId("name").value.toLowerCase();
  if (name && !photo.name.toLowerCase().includes(name)) return false;
  if (photo.faces.length < +least || (most && photo.faces.length > +most)) return false;
  if (label === "#failed") return photo.error !== undefined;
  if (label === "#none") return photo.error === undefined && !photo.faces.length;
  const chosen = headSelects.filter((select) => select.value !== "*");
  if (label === "*" && !sure && !chosen.length) return true;
  return photo.faces.some((face) =>
    (label === "*" || face.label === label) && face.sure >= sure
    && chosen.every((select) => face.heads?.[select.dataset.head] === select.value));
}

function rank(photo) {
  const label = byId("label").value;
  const at = labels.indexOf(label);
  return at < 0 ? photo.top : Math.max(0, ...photo.faces.map((face) => face.scores[at]));
}

const orders = {
  place: (a, b) => a.place - b.place,
  name: (a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : a.place - b.place),
  sure: (a, b) => rank(b) - rank(a) || a.place - b.place,
  unsure: (a, b) => rank(a) - rank(b) || a.place - b.place,
  faces: (a, b) => b.faces.length - a.faces.length || a.place - b.place,
};

function refresh() {
  document.querySelector("output").textContent = `${byId("sure").value} %`;
  const found = photos.filter(passes).sort(orders[byId("order").value]);
  shown = found;
  for (const photo of photos) photo.more = 0;
  if (byId("alike").checked) {
    const first = new Map();
    shown = [];
    for (const photo of found) {
      const leader = photo.alike === undefined ? undefined : first.get(photo.alike);
      if (leader) {
        leader.more += 1;
        continue;
      }
      if (photo.alike !== undefined) first.set(photo.alike, photo);
      shown.push(photo);
    }
  }
  const faces = found.reduce((sum, photo) => sum + photo.faces.length, 0);
  const hidden = found.length - shown.length;
  byId("count").textContent = `${found.length} of ${photos.length} photos, ${faces} faces`
    + (hidden ? `; ${hidden} look-alikes behind others` : "");
  current = Math.min(current, Math.max(shown.length - 1, 0));
  for (const tile of tiles.values()) tile.remove();
  tiles.clear();
  layOut();
}

const tiles = new Map();

function layOut() {
  columns = Math.max(Math.floor(scroller.clientWidth / TILE.width), 1);
  grid.style.height = `${Math.ceil(shown.length / columns) * TILE.height}px`;
  for (const [place, tile] of tiles) put(tile, place);
  draw();
}

function put(tile, place) {
  tile.style.cssText = `left:${(place % columns) * TILE.width}px;top:${Math.floor(place / columns) * TILE.height}px;`
    + `width:${TILE.width}px;height:${TILE.height}px`;
}

// Only the tiles that can be seen are in the page, with a row more above and below; while it is printed, all of them.
let printing = false;

function draw() {
  const first = Math.max(Math.floor(scroller.scrollTop / TILE.height) - 1, 0) * columns;
  const rows = Math.ceil(scroller.clientHeight / TILE.height) + 3;
  const [from, to] = printing ? [0, shown.length] : [first, Math.min(first + rows * columns, shown.length)];
  for (const [place, tile] of tiles) {
    if (place < from || place >= to) {
      tile.remove();
      tiles.delete(place);
    }
  }
  for (let place = from; place < to; place += 1) {
    if (!tiles.has(place)) {
      const tile = make(shown[place], place);
      put(tile, place);
      tiles.set(place, tile);
      grid.append(tile);
    }
    tiles.get(place).classList.toggle("current", place === current);
  }
  const tile = tiles.get(current);
  if (tile) scroller.setAttribute("aria-activedescendant", tile.id);
}

function element(kind, className, text) {
  const made = document.createElement(kind);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
}

function dot(label) {
  const made = element("span", "dot");
  made.style.background = `var(--label-${known.indexOf(label)})`;
  return made;
}

function words(photo) {
  if (photo.error !== undefined && !photo.faces.length) return "could not be read";
  if (!photo.faces.length) return "no face";
  return photo.faces.map((face) => `${face.label} ${Math.round(face.sure * 100)} %`).join(", ");
}

function picture(photo) {
  const image = element("img");
  image.alt = "";
  image.src = `data:image/jpeg;base64,${pictures[photo.place]}`;
  return image;
}

function make(photo, place) {
  const tile = element("div", "tile");
  tile.id = `photo-${photo.place}`;
  tile.setAttribute("role", "option");
  tile.setAttribute("aria-label", `${photo.name}: ${words(photo)}`);
  tile.setAttribute("aria-setsize", shown.length);
  tile.setAttribute("aria-posinset", place + 1);
  const frame = element("div", "picture");
  frame.append(pictures[photo.place] ? picture(photo) : photo.error ?? "no picture");
  if (photo.more) frame.append(element("span", "badge", `+${photo.more}`));
  const line = element("div", "labels");
  if (photo.faces.length) {
    for (const face of photo.faces.slice(0, 6)) line.append(dot(face.label), photo.faces.length < 3 ? face.label : "");
    if (photo.faces.length > 2) line.append(` ${photo.faces.length} faces`);
  } else {
    line.textContent = words(photo);
  }
  tile.title = `${photo.name}: ${words(photo)}`;
  tile.append(frame, line, element("div", "name", photo.name));
  tile.addEventListener("click", () => {
    go(place);
    show();
  });
  return tile;
}

function go(place) {
  if (!shown.length) return;
  current = Math.min(Math.max(place, 0), shown.length - 1);
  const top = Math.floor(current / columns) * TILE.height;
  if (top < scroller.scrollTop) scroller.scrollTop = top;
  const most = top + TILE.height - scroller.clientHeight;
  if (most > scroller.scrollTop) scroller.scrollTop = most;
  draw();
}

function percent(value) {
  return `${(value * 100).toFixed(0)} %`;
}

function table(photo) {
  const made = element("table");
  const head = made.createTHead().insertRow();
  const further = [...heads.keys()];
  for (const text of ["face", "looks", "confidence", ...further, ...labels]) head.append(element("th", "", text));
  photo.faces.forEach((face, number) => {
    const row = made.insertRow();
    row.insertCell().textContent = number + 1;
    const cell = row.insertCell();
    cell.append(dot(face.label), face.why ? `${face.label} (${face.why})` : face.label);
    row.insertCell().textContent = percent(face.sure);
    for (const name of further) row.insertCell().textContent = face.heads?.[name] ?? "";
    for (const score of face.scores) row.insertCell().textContent = percent(score);
  });
  return made;
}

function show() {
  const photo = shown[current];
  if (!photo) return;
  byId("detail-name").textContent = photo.name;
  const frame = byId("detail-picture");
  frame.replaceChildren(...(pictures[photo.place] ? [picture(photo)] : []));
  if (pictures[photo.place]) {
    photo.faces.forEach((face, number) => {
      const box = element("i", "", number + 1);
      const [left, top, width, height] = face.box.map((value) => `${value / 10}%`);
      Object.assign(box.style, { left, top, width, height });
      box.style.borderColor = box.style.color = `var(--label-${known.indexOf(face.label)})`;
      frame.append(box);
    });
  }
  const text = byId("detail-text");
  text.replaceChildren();
  if (photo.error !== undefined) text.append(element("p", "", photo.error));
  text.append(photo.faces.length ? table(photo) : element("p", "", words(photo)));
  const others = photo.alike === undefined ? [] : photos.filter((one) => one !== photo && one.alike === photo.alike);
  if (others.length) text.append(element("p", "", `Looks like: ${others.map((one) => one.name).join(", ")}`));
  byId("detail-link").href = photo.href;
  if (!detail.open) detail.showModal();
}

scroller.addEventListener("scroll", () => requestAnimationFrame(draw), { passive: true });
addEventListener("resize", layOut);
for (const [kind, begins] of [["beforeprint", true], ["afterprint", false]]) {
  addEventListener(kind, () => {
    printing = begins;
    // In order, as paper has no places for them.
    for (const tile of tiles.values()) tile.remove();
    tiles.clear();
    draw();
  });
}
byId("filters").addEventListener("input", refresh);
byId("filters").addEventListener("submit", (event) => event.preventDefault());
byId("detail-close").addEventListener("click", () => detail.close());
detail.addEventListener("close", () => scroller.focus());

addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const typing = event.target.matches("input, select, button, a");
  if (event.key === "/" && !typing) {
    byId("name").focus();
    event.preventDefault();
    return;
  }
  if (typing && event.target.closest("header")) {
    if (event.key === "Escape") scroller.focus();
    return;
  }
  const page = Math.max(Math.floor(scroller.clientHeight / TILE.height), 1) * columns;
  const moves = {
    ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns,
    PageUp: -page, PageDown: page, Home: -shown.length, End: shown.length,
  };
  if (event.key in moves) {
    go(current + moves[event.key]);
    if (detail.open) show();
    event.preventDefault();
  } else if (event.key === "Enter" && !typing) {
    show();
    event.preventDefault();
  } else if (event.key.toLowerCase() === "o" && shown[current]) {
    location.href = shown[current].href;
  }
});

refresh();
scroller.focus();
