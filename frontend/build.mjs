// Bundles the map and makes its plain base: country outlines for when no base map can be reached.
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { build } from "esbuild";
import { feature } from "topojson-client";
import { departments } from "./departments.mjs";

const out = "ckanext/dinamis_relais/public/dinamis";
// Metropolitan France and what is seen around it: west, south, east, north in degrees.
const window_ = [-7, 41, 10.5, 52.5];

await mkdir(out, { recursive: true });
// Shared parts are named after their content: those of an earlier build would stay for ever.
for (const name of await readdir(out)) if (/\.(js|css|txt)$/.test(name)) await rm(`${out}/${name}`);
await build({
  entryPoints: ["frontend/explorer.js", "frontend/requests.js", "frontend/coverage.js", "frontend/places.js", "frontend/explorer.css"],
  bundle: true,
  chunkNames: "part-[hash]",
  format: "esm",
  legalComments: "linked",
  loader: { ".svg": "dataurl" },
  minify: true,
  outdir: out,
  sourcemap: false,
  // The map is one part for all pages; what reads images in place is loaded when somebody wants to see one.
  splitting: true,
  target: "es2020",
});

const atlas = JSON.parse(await readFile("node_modules/world-atlas/countries-10m.json", "utf8"));
const meets = (ring) => {
  const xs = ring.map((point) => point[0]);
  const ys = ring.map((point) => point[1]);
  return Math.max(...xs) > window_[0] && Math.min(...xs) < window_[2]
    && Math.max(...xs) - Math.min(...xs) < 60 // not what goes round the antimeridian
    && Math.max(...ys) > window_[1] && Math.min(...ys) < window_[3];
};
// About a kilometre is enough for finding one's way, and a tenth of the size.
const rounded = (ring) => ring
  .map((point) => point.map((value) => Number((Math.round(value * 50) / 50).toFixed(2))))
  .filter(([x, y], index, all) => !index || x !== all[index - 1][0] || y !== all[index - 1][1]);
const features = feature(atlas, atlas.objects.countries).features.flatMap((country) => {
  const { type, coordinates } = country.geometry;
  const polygons = (type === "Polygon" ? [coordinates] : coordinates).filter(([outer]) => meets(outer));
  if (!polygons.length) return [];
  return [{
    type: "Feature",
    properties: { france: country.properties.name === "France" },
    geometry: { type: "MultiPolygon", coordinates: polygons.map((polygon) => polygon.map(rounded).filter((ring) => ring.length > 3)) },
  }];
});
await writeFile(`${out}/outline.json`, JSON.stringify({ type: "FeatureCollection", features }));
await departments(`${out}/departments.json`);
