// Reads the parts of a Cloud Optimised GeoTIFF that the map shows. Loaded on demand: most pages never need it.
import WebGLTileLayer from "ol/layer/WebGLTile.js";
import { get as projection, transformExtent } from "ol/proj.js";
import { register } from "ol/proj/proj4.js";
import GeoTIFF from "ol/source/GeoTIFF.js";
import proj4 from "proj4";
import { BARE, judge, Trouble } from "./preview.js";

// Systems of French images, as the EPSG registry defines them: Lambert-93, its nine conic zones, UTM over the mainland,
// Corsica included, and over the overseas départements.
const GRS80 = "+ellps=GRS80 +towgs84=0,0,0,0,0,0,0 +units=m +no_defs";
proj4.defs("EPSG:2154", `+proj=lcc +lat_0=46.5 +lon_0=3 +lat_1=49 +lat_2=44 +x_0=700000 +y_0=6600000 ${GRS80}`);
for (let north = 42; north <= 50; north += 1) {
  proj4.defs(`EPSG:${3900 + north}`, `+proj=lcc +lat_0=${north} +lon_0=3 +lat_1=${north - 0.75} +lat_2=${north + 0.75} +x_0=1700000 +y_0=${(north - 41) * 1000000 + 200000} ${GRS80}`);
}
for (const zone of [20, 21, 22, 30, 31, 32]) {
  proj4.defs(`EPSG:${32600 + zone}`, `+proj=utm +zone=${zone} +datum=WGS84 +units=m +no_defs`);
}
for (const zone of [38, 40]) proj4.defs(`EPSG:${32700 + zone}`, `+proj=utm +zone=${zone} +south +datum=WGS84 +units=m +no_defs`);
register(proj4);

// The smallest overview has at most so many pixels, else the first look would read too much of the file.
const MOST_PIXELS = 2048 * 2048;
// Milliseconds that the head of a file and its smallest overview may take.
const LONGEST = 60000;
// Shares of the pixels below and above which all is black or white; the usual "2 %" stretch.
const DARK = 0.02;
const LIGHT = 0.98;

// A source that looks at the file before the map asks it for tiles.
class Picture extends GeoTIFF {
  constructor(info, { red, green, blue }) {
    const named = [red, green, blue];
    const natural = named.every((band) => band >= 1);
    // Only what is shown is read; OpenLayers has to know it before it knows the file.
    if (natural) info.bands = named;
    super({ sources: [info], normalize: false, interpolate: true });
    this.info = info;
    this.natural = natural;
  }

  // OpenLayers calls it once with the file's images; what is wrong is known here, before a pixel is drawn. It does not
  // look at how this ends: what must not go on stays here.
  async determineProjection(sources) {
    try {
      await super.determineProjection(sources);
      await this.look(sources);
    } catch (error) {
      this.wrong = error;
      this.setState("error");
      await new Promise(() => {});
    }
  }

  async look(sources) {
    const system = this.getProjection();
    if (!system || !projection(system.getCode())) throw new Trouble("projection");
    const images = sources[0].filter((one) => !((one.fileDirectory.getValue("NewSubfileType") || 0) & 4));
    const masked = images.length < sources[0].length;
    const smallest = images.reduce((a, b) => (b.getWidth() < a.getWidth() ? b : a));
    if (smallest.getWidth() * smallest.getHeight() > MOST_PIXELS) throw new Trouble("large");
    const nodata = smallest.getGDALNoData();
    // Without any, what lies beside a turned image would be black rather than see-through.
    if (nodata === null && !masked) this.info.nodata = Number.NaN;
    const count = smallest.getSamplesPerPixel();
    const bands = this.info.bands || (count >= 3 ? [1, 2, 3] : [1]);
    if (Math.max(...bands) > count) throw new Trouble("unreadable");
    this.colours = this.natural ? "natural" : count >= 3 ? "unnamed" : "grey";
    this.limits = await stretch(smallest, bands, nodata);
  }
}

// For each band the values that become black and white: fixed for 8 bits, else by the overview's own pixels.
async function stretch(image, bands, nodata) {
  if (image.getBitsPerSample() === 8) return bands.map(() => [0, 255]);
  const rasters = await image.readRasters({ samples: bands.map((band) => band - 1), interleave: false });
  return [...rasters].map((raster) => {
    const step = Math.max(1, Math.floor(raster.length / 50000));
    const values = [];
    for (let at = 0; at < raster.length; at += step) {
      if (raster[at] !== nodata && Number.isFinite(raster[at])) values.push(raster[at]);
    }
    values.sort((a, b) => a - b);
    const share = (part) => values[Math.min(values.length - 1, Math.floor(part * values.length))] ?? 0;
    return [share(DARK), Math.max(share(LIGHT), share(DARK) + 1e-6)];
  });
}

// Red, green and blue of a pixel, or one grey, each between its limits: the first bands of what is read. The last one
// says what is see-through.
function style({ limits, bandCount, hasAlpha }) {
  const shade = limits.map(([low, high], at) => ["clamp", ["/", ["-", ["band", at + 1], low], high - low], 0, 1]);
  const [red, green, blue] = shade.length === 3 ? shade : [shade[0], shade[0], shade[0]];
  return { color: ["array", red, green, blue, hasAlpha ? ["clamp", ["/", ["band", bandCount], 255], 0, 1] : 1] };
}

// Fetches parts of the file, counts them, and tells the first thing that goes wrong.
function loader(tell) {
  let bytes = 0;
  return async (url, headers, signal) => {
    let answer;
    try {
      answer = await fetch(url, { ...BARE, headers, signal });
    } catch (error) {
      if (!signal?.aborted) tell.trouble("lost");
      throw error;
    }
    const key = judge(answer.status);
    if (key) {
      answer.body?.cancel();
      tell.trouble(key);
      throw new Trouble(key);
    }
    bytes += Number(answer.headers.get("Content-Length")) || 0;
    tell.progress(bytes, Number(answer.headers.get("Content-Range")?.split("/")[1]) || 0);
    return answer;
  };
}

/**
 * Show an image and move the map to it; done when what is in sight is drawn.
 *
 * `tell.progress(bytes, whole)`: read so far, of how many if the store says so; `tell.trouble(key)`: once, also later
 * on, when a part of the image cannot be read any more. Returns `colours`, `trouble` and `remove()`.
 */
export async function show(map, url, wanted, tell) {
  let trouble = null;
  const once = (key) => {
    if (trouble) return;
    trouble = key;
    tell.trouble(key);
  };
  const source = new Picture({ url, loader: loader({ ...tell, trouble: once }) }, wanted);
  await settled(source, (key) => { trouble ??= key; return trouble; });
  source.on("tileloaderror", () => once("unreadable"));
  const layer = new WebGLTileLayer({ source, style: style(source), zIndex: 1 });
  map.addLayer(layer);
  const extent = transformExtent(source.getTileGrid().getExtent(), source.getProjection(), map.getView().getProjection());
  map.getView().fit(extent, { padding: [20, 20, 20, 20], size: map.getSize() });
  await new Promise((done) => map.once("rendercomplete", done));
  const remove = () => {
    map.removeLayer(layer);
    layer.dispose();
  };
  if (trouble) remove();
  return { colours: source.colours, trouble, remove };
}

// Waits until the file's head is read; what OpenLayers cannot make sense of may never be.
function settled(source, note) {
  return new Promise((done, refuse) => {
    const fail = () => refuse(new Trouble(note(source.wrong?.key || "unreadable")));
    const late = setTimeout(fail, LONGEST);
    const look = () => {
      if (source.getState() === "ready") done();
      else if (source.getState() === "error") fail();
      else return;
      clearTimeout(late);
      source.removeEventListener("change", look);
    };
    source.addEventListener("change", look);
    look();
  });
}
