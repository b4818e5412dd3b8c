// The map beside the list. The page works without it: here is only what a map adds.
import Feature from "ol/Feature.js";
import GeoJSON from "ol/format/GeoJSON.js";
import MVT from "ol/format/MVT.js";
import Point from "ol/geom/Point.js";
import TileLayer from "ol/layer/Tile.js";
import VectorLayer from "ol/layer/Vector.js";
import VectorTileLayer from "ol/layer/VectorTile.js";
import Map from "ol/Map.js";
import { fromLonLat, toLonLat, transformExtent } from "ol/proj.js";
import VectorSource from "ol/source/Vector.js";
import VectorTileSource from "ol/source/VectorTile.js";
import XYZ from "ol/source/XYZ.js";
import { Fill, Stroke, Style, Text, Circle } from "ol/style.js";
import View from "ol/View.js";
import { previews } from "./preview.js";

// Addresses that are shared hold what was asked, not what was left empty.
document.querySelector("form[role=search]")?.addEventListener("submit", (event) => {
  for (const field of event.target.elements) if (field.name && !field.value) field.disabled = true;
});

// A quicklook that its store keeps to itself leaves no empty frame.
for (const image of document.querySelectorAll(".dinamis-scenes img, .dinamis-quicklook img")) {
  const drop = () => (image.closest("figure") || image).remove();
  if (image.complete && !image.naturalWidth) drop();
  else image.addEventListener("error", drop);
}

const element = document.getElementById("dinamis-map");
if (element) start(element);

function start(element) {
  const data = JSON.parse(document.getElementById("dinamis-map-data").textContent);
  const format = new GeoJSON({ featureProjection: "EPSG:3857" });
  const page = new VectorSource({ features: format.readFeatures(data.scenes) });
  const place = new VectorSource({ features: data.place ? format.readFeatures(data.place) : [] });
  const layers = [...plainBase(data), ...base(element, data)];
  if (data.tiles) layers.push(footprints(data));
  const lit = new Style({ stroke: new Stroke({ color: "#d1495b", width: 3 }), fill: new Fill({ color: "#d1495b33" }) });
  const quiet = new Style({ stroke: new Stroke({ color: "#0b5cad", width: 1.5 }), fill: new Fill({ color: "#0b5cad08" }) });
  layers.push(
    new VectorLayer({ source: page, style: quiet }),
    new VectorLayer({ source: place, style: new Style({ stroke: new Stroke({ color: "#1d1d1d", width: 2.5, lineDash: [6, 4] }) }) }),
  );
  const front = new VectorLayer({ source: new VectorSource(), style: lit });
  layers.push(front);

  const map = new Map({ target: element, layers, view: new View({ maxZoom: 16, minZoom: 4 }) });
  const home = () => frame(map, data, place, page);
  home();
  link(map, page, front);
  searchHere(map);
  previews(map, home);
}

// Where to look first: the part that was asked for, the place, the page's scenes, else the whole region.
function frame(map, data, place, page) {
  const options = { padding: [30, 30, 30, 30], maxZoom: 12, size: map.getSize() };
  const look = data.bbox || data.home;
  if (look) map.getView().fit(transformExtent(look, "EPSG:4326", "EPSG:3857"), options);
  else if (place.getFeatures().length) map.getView().fit(place.getExtent(), { ...options, maxZoom: 9.5 });
  else if (page.getFeatures().length) map.getView().fit(page.getExtent(), { ...options, maxZoom: 8.5 });
  else {
    map.getView().setCenter(fromLonLat([0.4, 45]));
    map.getView().setZoom(6);
  }
}

// Country outlines and a few towns, drawn from our own files: the base when no other can be reached.
function plainBase(data) {
  const land = new VectorSource({ url: data.outline, format: new GeoJSON() });
  const style = (feature) => new Style({
    fill: new Fill({ color: feature.get("france") ? "#fdfdfb" : "#f1f1ee" }),
    stroke: new Stroke({ color: "#9aa5b1", width: 1 }),
  });
  const towns = new VectorSource({
    features: (data.towns || []).map(([name, lon, lat]) => new Feature({ name, geometry: new Point(fromLonLat([lon, lat])) })),
  });
  const label = (feature) => new Style({
    image: new Circle({ radius: 2.5, fill: new Fill({ color: "#343a40" }) }),
    text: new Text({
      text: feature.get("name"), offsetY: -10, font: "12px sans-serif", fill: new Fill({ color: "#343a40" }),
      stroke: new Stroke({ color: "#ffffffcc", width: 3 }),
    }),
  });
  return [new VectorLayer({ source: land, style }), new VectorLayer({ source: towns, style: label, declutter: true, zIndex: 5 })];
}

// The configured base map; after its first failure it is left out, and the plain one remains.
function base(element, data) {
  if (!data.base) return [];
  const source = new XYZ({ url: data.base, attributions: data.attribution, crossOrigin: "anonymous" });
  const layer = new TileLayer({ source });
  let reached = false;
  source.on("tileloadend", () => { reached = true; });
  source.on("tileloaderror", () => {
    if (reached) return;
    layer.setVisible(false);
    const note = document.getElementById("dinamis-map-plain");
    if (note) note.hidden = false;
  });
  return [layer];
}

// All scenes that match, as tiles made by the database; below zoom 7 a grid, darker where there are more.
function footprints(data) {
  const source = new VectorTileSource({ format: new MVT({ idProperty: "key" }), url: data.tiles, maxZoom: 14 });
  const outline = new Style({ stroke: new Stroke({ color: "#0b5cad40", width: 1 }) });
  return new VectorTileLayer({
    source,
    style: (feature) => {
      const count = feature.get("count");
      if (count === undefined) return outline;
      const share = Math.min(1, Math.log2(count + 1) / 8);
      return new Style({ fill: new Fill({ color: `rgba(11, 92, 173, ${0.1 + 0.5 * share})` }) });
    },
  });
}

// Pointing at a row lights its footprint, pointing at a footprint lights its row; the keyboard goes by the list.
function link(map, page, front) {
  const rows = new globalThis.Map([...document.querySelectorAll("[data-scene]")].map((row) => [row.dataset.scene, row]));
  const light = (key) => {
    front.getSource().clear();
    rows.forEach((row, own) => row.classList.toggle("lit", own === key));
    const feature = key && page.getFeatureById(key);
    if (feature) front.getSource().addFeature(feature.clone());
  };
  rows.forEach((row, key) => {
    for (const event of ["mouseenter", "focusin"]) row.addEventListener(event, () => light(key));
    for (const event of ["mouseleave", "focusout"]) row.addEventListener(event, () => light(null));
  });
  const at = (pixel) => {
    const found = map.getFeaturesAtPixel(pixel, { layerFilter: (layer) => layer.getSource() === page });
    return found.length ? found[0].getId() : null;
  };
  map.on("pointermove", (event) => {
    if (event.dragging) return;
    const key = at(event.pixel);
    map.getTargetElement().style.cursor = key ? "pointer" : "";
    light(key);
  });
  map.on("singleclick", (event) => {
    const key = at(event.pixel);
    const anchor = key && rows.get(key)?.querySelector("a");
    if (anchor) anchor.focus();
  });
}

// "Search this part of the map" puts the map's corners into the form and sends it.
function searchHere(map) {
  const button = document.getElementById("dinamis-search-here");
  const field = document.getElementById("field-bbox");
  if (!button || !field) return;
  button.hidden = false;
  button.addEventListener("click", () => {
    const [west, south, east, north] = map.getView().calculateExtent(map.getSize());
    const corners = [...toLonLat([west, south]), ...toLonLat([east, north])];
    field.value = corners.map((value) => value.toFixed(4)).join(",");
    document.getElementById("field-place").value = ""; // a place would outweigh the part of the map
    field.form.requestSubmit();
  });
}

export { base, link, plainBase };
