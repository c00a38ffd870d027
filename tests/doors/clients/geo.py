"""Maps, as GIS people open them: OWSLib, and GDAL's OAPIF driver through pyogrio: `COMMAND BASE …`; prints JSON."""

import json
import sys

import pyogrio
from owslib.ogcapi.features import Features


def headers(token: str) -> dict:
    return {"Authorization": f"Bearer {token}"} if token else {}


def figure(base: str, dataset: str, column: str, *where: str) -> object:
    conditions = dict(condition.split("=", 1) for condition in where)
    found = Features(base + "/ogc/").collection_items(dataset, limit=10_000, **conditions)
    assert found["numberReturned"] == found["numberMatched"] == len(found["features"])
    return [feature["properties"][column] for feature in found["features"]]


def figure_of_gdal(base: str, dataset: str, column: str, *where: str) -> object:
    """As GDAL reads it, over all pages; the conditions in its own SQL, of which it sends the server what that can take."""
    conditions = (condition.split("=", 1) for condition in where)
    text = " and ".join(f"{name} = " + (value if name == "year" else f"'{value}'") for name, value in conditions)
    found = pyogrio.raw.read(f"OAPIF:{base}/ogc/collections/{dataset}", columns=[column], where=text or None, read_geometry=False)
    return found[3][0].tolist()


def owslib(base: str, collection: str, token: str = "", **_: str) -> object:
    service = Features(base + "/ogc/", headers=headers(token))
    items = service.collection_items(collection, limit=5, bbox=[106.0, 10.0, 109.0, 13.0])
    first = service.collection_item(collection, items["features"][0]["id"]) if items["features"] else None
    return {
        "collections": service.feature_collections(),
        "api": service.api()["openapi"],
        "queryables": sorted(service.collection_queryables(collection)["properties"]),
        "conforms": service.conformance()["conformsTo"],
        "matched": items["numberMatched"],
        "returned": items["numberReturned"],
        "item": None if first is None else first["id"],
        "first": items["features"][0]["id"] if items["features"] else None,
    }


def gdal(base: str, collection: str, token: str = "", **options: str) -> object:
    if token:  # as QGIS's basic authentication: the official's name, the access token as password
        pyogrio.set_gdal_config_options({"GDAL_HTTP_USERPWD": f"can-bo-01:{token}", "GDAL_HTTP_AUTH": "BASIC"})
    address = f"OAPIF:{base}/ogc/collections/{collection}"
    info = pyogrio.read_info(address)
    bbox = tuple(float(part) for part in options["bbox"].split(",")) if "bbox" in options else None
    _, _, geometry, fields = pyogrio.raw.read(
        address, bbox=bbox, where=options.get("where"), max_features=int(options.get("most", "100000"))
    )
    return {
        "fields": list(info["fields"]),
        "crs": info["crs"],
        "kind": info["geometry_type"],
        "features": len(fields[0]),
        "places": sum(g is not None for g in geometry),
    }


def layers(base: str) -> object:
    return sorted(str(layer[0]) for layer in pyogrio.list_layers(f"OAPIF:{base}/ogc/"))


def package(path: str) -> object:
    fields = pyogrio.raw.read(path)[3]
    info = pyogrio.read_info(path)
    return {
        "features": len(fields[0]),
        "crs": info["crs"],
        "fields": list(info["fields"]),
        "kind": info["geometry_type"],
        "layer": info["layer_name"],
    }


commands = {"figure": figure, "figure_of_gdal": figure_of_gdal, "owslib": owslib, "gdal": gdal, "layers": layers, "package": package}
positional = [argument for argument in sys.argv[2:] if not argument.startswith("--")]
options = dict(argument[2:].split("=", 1) for argument in sys.argv[2:] if argument.startswith("--"))
print(json.dumps(commands[sys.argv[1]](*positional, **options)))
