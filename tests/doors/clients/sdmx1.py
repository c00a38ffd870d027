"""SDMX, as a statistician reads it with `sdmx1`: `figure|series|flows|codes|draft|refused BASE FLOW …`."""

import json
import os
import sys
import warnings

import sdmx

warnings.simplefilter("ignore")
GENERIC = "application/vnd.sdmx.genericdata+xml;version=2.1"  # said, for a client that has the structure asks for the other by itself
SPECIFIC = "application/vnd.sdmx.structurespecificdata+xml;version=2.1"


def client(base: str) -> sdmx.Client:
    sdmx.add_source({"id": "LIENTHONG", "url": f"{base}/sdmx/2.1", "name": "Liên thông"}, override=True)
    made = sdmx.Client("LIENTHONG")
    if "TOKEN" in os.environ:
        made.session.auth = ("can-bo-01", os.environ["TOKEN"])
    return made


def flows(base: str) -> object:
    return sorted(client(base).dataflow().dataflow)


def figure(base: str, flow: str, *where: str) -> object:
    """By a key of names, which makes the client read the structure first; generic and structure-specific."""
    asked = dict(condition.partition("=")[::2] for condition in where)
    year = asked.pop("year", "")
    params = {"startPeriod": year, "endPeriod": year} if year else {}
    source = client(base)
    structure = source.dataflow(flow, params={"references": "all"}).dataflow[flow].structure
    found = []
    for form in (GENERIC, SPECIFIC):
        message = source.data(flow, key=asked, params=params, headers={"Accept": form}, dsd=structure)
        found.append([float(observation.value) for dataset in message.data for observation in dataset.obs])
    return found


def series(base: str, flow: str) -> object:
    """(how many series there are, the parts of the first's key)."""
    keys = client(base).series_keys(flow)
    first = next(iter(keys))
    return [len(keys), [f"{name}={value.value}" for name, value in first.values.items()]]


def codes(base: str, flow: str) -> object:
    """List → how many codes; and one code's name in Vietnamese."""
    message = client(base).dataflow(flow, params={"references": "all"})
    dimensions = [dimension.id for dimension in message.structure[flow].dimensions]
    return [dimensions, {own_id: len(listed) for own_id, listed in message.codelist.items()}]


def draft(base: str, flow: str, key: str) -> object:
    headers = {"Accept": "application/vnd.sdmx.draft-sdmx-json+json"}
    message = client(base).data(flow, key=key, headers=headers)
    return [observation.value for dataset in message.data for observation in dataset.obs]


def refused(base: str, resource: str, own_id: str) -> object:
    try:
        client(base).get(resource, own_id, force=True)
    except Exception as error:
        return [type(error).__name__, getattr(getattr(error, "response", None), "status_code", None)]
    return None


ASKED = {"flows": flows, "figure": figure, "series": series, "codes": codes, "draft": draft, "refused": refused}
print(json.dumps(ASKED[sys.argv[1]](*sys.argv[2:])))
