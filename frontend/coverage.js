// The map of a territory's coverage: outline, chosen scenes numbered, holes hatched. The list and the picture say the same.
import Feature from "ol/Feature.js";
import GeoJSON from "ol/format/GeoJSON.js";
import Point from "ol/geom/Point.js";
import VectorLayer from "ol/layer/Vector.js";
import Map from "ol/Map.js";
import { fromLonLat } from "ol/proj.js";
import VectorSource from "ol/source/Vector.js";
import { Fill, Stroke, Style, Text, Circle } from "ol/style.js";
import View from "ol/View.js";
import { base, link, plainBase } from "./explorer.js";
import "./places.js";

const element = document.getElementById("dinamis-coverage-map");
if (element) start(element);

function start(element) {
  const data = JSON.parse(document.getElementById("dinamis-map-data").textContent);
  const format = new GeoJSON({ featureProjection: "EPSG:3857" });
  const source = (geojson) => new VectorSource({ features: format.readFeatures(geojson) });
  const scenes = source(data.scenes);
  const place = source(data.place);
  const numbers = new VectorSource({
    features: scenes.getFeatures().map((one) => new Feature({
      number: one.get("number"), geometry: new Point(fromLonLat(one.get("label"))),
    })),
  });
  const front = new VectorLayer({
    source: new VectorSource(),
    style: new Style({ stroke: new Stroke({ color: "#d1495b", width: 3 }), fill: new Fill({ color: "#d1495b33" }) }),
  });
  const layers = [
    ...plainBase(data), ...base(element, data),
    new VectorLayer({ source: scenes, style: new Style({ stroke: new Stroke({ color: "#0b5cad", width: 1.5 }), fill: new Fill({ color: "#0b5cad1f" }) }) }),
    new VectorLayer({ source: source(data.holes), style: new Style({ stroke: new Stroke({ color: "#b3261e", width: 1.5 }), fill: new Fill({ color: hatch() }) }) }),
    new VectorLayer({ source: place, style: new Style({ stroke: new Stroke({ color: "#1d1d1d", width: 2.5, lineDash: [6, 4] }) }) }),
    front,
    new VectorLayer({ source: numbers, zIndex: 10, style: numbered }),
  ];
  const map = new Map({ target: element, layers, view: new View({ maxZoom: 16, minZoom: 4 }) });
  map.getView().fit(place.getExtent(), { padding: [35, 35, 35, 35], maxZoom: 14, size: map.getSize() });
  link(map, scenes, front);
}

function numbered(feature) {
  return new Style({
    image: new Circle({ radius: 12, fill: new Fill({ color: "#0b5cad" }), stroke: new Stroke({ color: "#fff", width: 1.5 }) }),
    text: new Text({ text: String(feature.get("number")), font: "bold 13px sans-serif", fill: new Fill({ color: "#fff" }) }),
  });
}

// Red lines on white, as in the picture for reports.
function hatch() {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = 10;
  const context = canvas.getContext("2d");
  context.fillStyle = "#ffffffd0";
  context.fillRect(0, 0, 10, 10);
  context.strokeStyle = "#b3261e";
  context.lineWidth = 2;
  for (const shift of [-10, 0, 10]) {
    context.beginPath();
    context.moveTo(shift, 10);
    context.lineTo(shift + 10, 0);
    context.stroke();
  }
  return context.createPattern(canvas, "repeat");
}
