"""The OGC API – Features door (`/ogc`): what has a place on the earth, for QGIS, GDAL and OWSLib; parts 1 to 3."""
