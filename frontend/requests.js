// Draws the area of a request on a map. The form works without it: a territory's name or a file says the same.
import GeoJSON from "ol/format/GeoJSON.js";
import Draw, { createBox } from "ol/interaction/Draw.js";
import Modify from "ol/interaction/Modify.js";
import Snap from "ol/interaction/Snap.js";
import VectorLayer from "ol/layer/Vector.js";
import Map from "ol/Map.js";
import { transformExtent } from "ol/proj.js";
import VectorSource from "ol/source/Vector.js";
import { getArea } from "ol/sphere.js";
import { Fill, Stroke, Style, Circle } from "ol/style.js";
import View from "ol/View.js";
import { base, plainBase } from "./explorer.js";

const element = document.getElementById("dinamis-draw-map");
if (element) start(element);

function start(element) {
  const data = JSON.parse(document.getElementById("dinamis-draw-data").textContent);
  const field = document.getElementById("area");
  const surface = document.getElementById("dinamis-draw-surface");
  const format = new GeoJSON({ featureProjection: "EPSG:3857", dataProjection: "EPSG:4326" });
  const source = new VectorSource();
  const style = new Style({
    stroke: new Stroke({ color: "#d1495b", width: 2.5 }), fill: new Fill({ color: "#d1495b22" }),
    image: new Circle({ radius: 5, fill: new Fill({ color: "#d1495b" }) }),
  });
  const layers = [...plainBase(data), ...base(element, data), new VectorLayer({ source, style, zIndex: 10 })];
  const map = new Map({ target: element, layers, view: new View({ maxZoom: 17, minZoom: 4 }) });
  const look = (extent) => map.getView().fit(extent, { padding: [30, 30, 30, 30], maxZoom: 14, size: map.getSize() });
  look(transformExtent(data.home, "EPSG:4326", "EPSG:3857"));
  if (field.value) {
    try {
      source.addFeatures(format.readFeatures(JSON.parse(field.value)));
      if (source.getFeatures().length) look(source.getExtent());
    } catch { /* the server says what is wrong with it */ }
  }

  let drawing = null;
  const stop = () => { if (drawing) map.removeInteraction(drawing); drawing = null; };
  const write = () => {
    const features = source.getFeatures();
    field.value = features.length ? format.writeFeatures(features, { decimals: 6 }) : "";
    const km2 = features.reduce((sum, one) => sum + getArea(one.getGeometry()), 0) / 1e6;
    // On a sphere: the server measures on the ellipsoid, some per thousand apart.
    const about = km2.toLocaleString(document.documentElement.lang, { maximumSignificantDigits: 3 });
    surface.value = km2 ? `≈ ${about} ${surface.dataset.unit}` : "";
  };
  source.on("change", write);
  const begin = (options) => {
    stop();
    drawing = new Draw({ source, ...options });
    drawing.on("drawend", () => setTimeout(stop));
    map.addInteraction(drawing);
    map.addInteraction(new Snap({ source }));
  };
  map.addInteraction(new Modify({ source }));
  const does = {
    start: () => begin({ type: "Polygon" }),
    box: () => begin({ type: "Circle", geometryFunction: createBox() }),
    clear: () => { stop(); source.clear(); },
  };
  const tools = document.getElementById("dinamis-draw-tools");
  tools.hidden = false;
  for (const button of tools.querySelectorAll("[data-draw]")) {
    button.addEventListener("click", () => does[button.dataset.draw]());
  }
  element.addEventListener("keydown", (event) => { if (event.key === "Escape") stop(); });
  write();
}
