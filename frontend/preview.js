// "See the image on the map": asks the store first, then for a link, and only then loads what reads such images.
const MEGABYTE = 1e6;

// Turns the page's hidden forms into buttons; the page says what to do where there is no script. `home` frames the
// scene again, since without its image the map would be empty where one looks.
export function previews(map, home) {
  const box = document.getElementById("dinamis-preview");
  if (!box) return;
  const said = JSON.parse(box.dataset.said);
  const status = box.querySelector("[role=status]");
  const bar = box.querySelector("progress");
  const read = box.querySelector("[data-read]");
  const forms = [...box.querySelectorAll("form")];
  let shown = null;

  const tell = (text, wrong = false) => {
    status.textContent = text;
    status.classList.toggle("text-danger", wrong);
  };
  const busy = (now) => {
    bar.hidden = !now;
    // Not `disabled`: the focus would be lost, and with it the place of who uses the keyboard.
    for (const form of forms) form.querySelector("button").setAttribute("aria-disabled", String(now));
  };
  const label = (form, on) => {
    form.querySelector("[data-label]").textContent = on ? said.hide : said.see;
  };
  const hide = () => {
    if (!shown) return;
    shown.layer.remove();
    label(shown.form, false);
    shown = null;
    read.textContent = "";
  };
  const failed = (key, form) => {
    if (shown?.form === form) hide();
    busy(false);
    read.textContent = "";
    tell(said[key] || key, true);
  };

  async function see(form) {
    hide();
    busy(true);
    try {
      if (!drawn()) throw new Trouble("webgl");
      tell(said.asking);
      await probe(form);
      const href = form.dataset.signed ? await link(form) : form.dataset.href;
      tell(said.loading);
      const { show } = await import("./cog.js").catch(() => { throw new Trouble("failed"); });
      let whole = 0;
      const layer = await show(map, href, JSON.parse(form.dataset.bands), {
        progress: (bytes, size) => {
          whole = size || whole;
          read.textContent = amount(bytes, whole, said);
        },
        trouble: (key) => failed(key, form),
      });
      if (layer.trouble) return; // said already
      shown = { form, layer };
      label(form, true);
      tell(said[layer.colours]);
    } catch (error) {
      return failed(error.key || "failed", form);
    }
    busy(false);
  }

  for (const form of forms) {
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      if (!bar.hidden) return;
      if (shown?.form === form) {
        hide();
        home();
        tell(said.hidden);
      } else see(form);
    });
  }
  box.hidden = false;
}

// What went wrong: a name of one of the page's sentences, or a sentence that the site answered.
export class Trouble extends Error {
  constructor(key) {
    super(key);
    this.key = key;
  }
}

// Whether this browser draws by WebGL, which OpenLayers needs for the pixels of a GeoTIFF.
function drawn() {
  const canvas = document.createElement("canvas");
  return Boolean(canvas.getContext("webgl2") || canvas.getContext("webgl"));
}

// How the store is asked: without cookies, and without telling it on which page one is.
export const BARE = { credentials: "omit", mode: "cors", referrerPolicy: "no-referrer" };

// Whether the store lets this page read at all, asked without a signature: what it refuses costs nobody a download.
async function probe(form) {
  let answer;
  try {
    answer = await fetch(form.dataset.href, { ...BARE, headers: { Range: "bytes=0-15" }, signal: AbortSignal.timeout(20000) });
  } catch {
    throw new Trouble("cors");
  }
  answer.body?.cancel();
  // What needs a signature is refused without one: that is the answer hoped for.
  if (form.dataset.signed && [400, 401, 403].includes(answer.status)) return;
  const key = judge(answer.status);
  if (key) throw new Trouble(key);
}

// What an answer to a question for a part of a file means; null when it is that part.
export function judge(status) {
  if (status === 206) return null;
  if (status === 401 || status === 403) return "refused";
  if (status === 404 || status === 410) return "gone";
  return status < 400 ? "ranges" : "store";
}

// A link for this person: the site checks the right, the licence and the quota, and writes it into its journal.
async function link(form) {
  const body = new FormData(form);
  const theme = document.querySelector("[data-dinamis-theme]");
  if (theme) body.set("theme", theme.value);
  let answer;
  try {
    answer = await fetch(form.action, { method: "POST", body, headers: { Accept: "application/json" }, redirect: "manual" });
  } catch {
    throw new Trouble("failed");
  }
  if (answer.type === "opaqueredirect" || answer.status === 403) throw new Trouble("login");
  const found = await answer.json().catch(() => ({}));
  if (found.href) return found.href;
  throw new Trouble(found.problem || "failed");
}

function amount(bytes, whole, said) {
  const digits = { maximumFractionDigits: 1, minimumFractionDigits: 1 };
  const words = (size) => (size / MEGABYTE).toLocaleString(document.documentElement.lang || "fr", digits);
  return (whole ? said.read_of : said.read).replace("{read}", words(bytes)).replace("{whole}", words(whole));
}
