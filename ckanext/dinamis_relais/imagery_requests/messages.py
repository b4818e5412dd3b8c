"""What is said of areas and periods: each problem with its remedy, each note of what was changed."""

from __future__ import annotations

import ckan.plugins.toolkit as tk

from ckanext.dinamis_relais.imagery_requests.areas_problem import AreaProblem
from ckanext.dinamis_relais.imagery_requests.rules import FIRST_YEAR, YEARS_AHEAD, Period


def problem(error: AreaProblem) -> str:
    """A problem of an area as a sentence."""
    _ = tk._
    simpler = _(
        "Simplify the outline in your software (in QGIS: Vector, Geometry Tools, Simplify), then send it again."
    )
    said = {
        "file_type": _("This is none of GeoJSON, zipped Shapefile (ZIP), KML or KMZ. Save the area so."),
        "file_empty": _("The file is empty. Choose it again."),
        "file_large": _("The area weighs more than {mb} MB. {simpler}"),
        "geojson": _("This is no GeoJSON that can be read. Export the area again as GeoJSON."),
        "kml": _("This is no KML that can be read. Export the area again."),
        "kml_entities": _("This KML holds a document type or entities, which are refused for safety. Export it again "
                          "without them."),
        "shapefile": _("The .shp file of this archive cannot be read. Export it again and zip all its files."),
        "archive_broken": _("This archive cannot be opened. Make the ZIP file again."),
        "archive_files": _("This archive holds more than {number} files. Put only the files of one Shapefile into it."),
        "archive_names": _("This archive holds names that lead out of it, refused for safety. Make the ZIP file "
                           "again from the files alone."),
        "archive_large": _("Unpacked, this archive would weigh more than {mb} MB: it was not opened. Put only the area "
                           "into it."),
        "archive_locked": _("This archive is protected by a password. Make it again without one."),
        "archive_many": _("This archive holds several Shapefiles. Put only the one of the area into it."),
        "archive_nothing": _("This archive holds no .shp and no .kml file. Zip all the files of the Shapefile."),
        "points": _("The area has more than {number} points. {simpler}"),
        "numbers": _("The coordinates of the area are no places on the Earth. Export it again."),
        "system": _("The coordinates are not longitudes and latitudes, and their system is not said or not known. Send "
                    "the .prj file too, or export the area in WGS 84 (EPSG:4326)."),
        "no_polygon": _("There is no polygon: points and lines have no surface. Draw the outline of the area."),
        "empty": _("The area is empty. Draw it, or choose another file."),
        "broken": _("The outline crosses itself so that no surface is left. Draw it again."),
        "small": _("The area is smaller than 100 m². Draw it larger."),
        "large": _("The area has {found} km²; one request takes at most {km2} km². Draw it smaller, or ask in several "
                   "parts."),
    }  # fmt: skip
    numbers = {name: tk.h.dinamis_number(value) for name, value in error.values.items()}
    return said[error.kind].format(simpler=simpler, **numbers)


def note(kind: str) -> str:
    """What was changed of an area as it was given, as a sentence."""
    _ = tk._
    return {
        "repaired": _("The outline crossed itself; it was repaired. Look whether it is still what you mean."),
        "merged": _("Polygons that overlap were merged, so that no surface counts twice."),
        "left_out": _("Points and lines were left out: only polygons have a surface."),
        "assumed_wgs84": _("No .prj file came along: the coordinates were taken as longitudes and latitudes (WGS 84)."),
        "projected": _("The coordinates were converted to longitudes and latitudes."),
        "simplified": _("The outline of the territory was simplified a little."),
    }[kind]


def period(kind: str, asked: Period) -> str:
    """A problem of a period as a sentence that explains the rule."""
    _ = tk._
    return {
        "years": _("Give a year from {first} to {ahead} years from now."),
        "order": _("The period ends before it starts. Exchange the two dates."),
        "window": _("A satellite passes when its orbit and the clouds allow it: DINAMIS takes no request for one "
                    "precise day. Give a period of at least {window} days."),
        "emergency": _("DINAMIS has no emergency service: a request is examined, then the satellite is programmed. "
                       "Give a period that ends at least {lead} days from now, or one that is over."),
    }[kind].format(first=FIRST_YEAR, ahead=YEARS_AHEAD, window=asked.window, lead=asked.lead)  # fmt: skip
