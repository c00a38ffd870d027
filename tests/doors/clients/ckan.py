"""CKAN, as its own clients ask: ckanapi, its command line, and the loop of ckanext-harvest."""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import requests
from ckanapi import NotAuthorized, NotFound, RemoteCKAN, ValidationError
from ckanapi.errors import CKANAPIError, SearchQueryError


def figure(base: str, dataset: str, column: str, *where: str) -> object:
    """The values of a column where the filters hold, through package_show and datastore_search."""
    with RemoteCKAN(base) as ckan:
        package = ckan.action.package_show(id=dataset)
        table = next(resource for resource in package["resources"] if resource["datastore_active"])
        asked = {"resource_id": table["id"], "filters": dict(condition.split("=", 1) for condition in where), "limit": 500}
        values, page = [], ckan.action.datastore_search(**asked)
        while page["records"]:
            values += [record[column] for record in page["records"]]
            page = ckan.action.datastore_search(**asked, offset=page["offset"] + page["limit"])
    return values


def actions(base: str) -> object:
    """One answer of every action, with GET and with POST alike."""
    told = []
    for get_only in (False, True):
        with RemoteCKAN(base, get_only=get_only) as ckan:
            names = ckan.action.package_list()
            package = ckan.action.package_show(id=names[0])
            searched = ckan.action.package_search(q="*:*", rows=2, sort="id asc")
            told.append(
                {
                    "names": names,
                    "package": {"id": package["id"], "name": package["name"], "resources": [r["format"] for r in package["resources"]]},
                    "by_id": ckan.action.package_show(id=package["id"])["name"],
                    "count": searched["count"],
                    "rows": len(searched["results"]),
                    "organizations": ckan.action.organization_list(),
                    "organization": ckan.action.organization_show(id=package["organization"]["id"])["title"],
                    "groups": ckan.action.group_list(),
                    "tags": ckan.action.tag_list(),
                    "licences": [each["id"] for each in ckan.action.license_list()],
                    "resource": ckan.action.resource_show(id=package["resources"][-1]["id"])["url"],
                    "whole": len(ckan.action.current_package_list_with_resources(limit=3)),
                    "status": ckan.action.status_show()["extensions"],
                    "read": ckan.action.site_read(),
                    "help": ckan.action.help_show(name="package_show"),
                }
            )
    return told


def errors(base: str, restricted: str, token: str) -> object:
    """How ckanapi understands what is refused."""
    told = {}
    calls = {
        "no package": ("package_show", {"id": "none-such"}, None),
        "no id": ("package_show", {}, None),
        "not open": ("package_show", {"id": restricted}, None),
        "not granted": ("datastore_search", {"resource_id": restricted}, token),
        "bad token": ("package_list", {}, "nonsense"),
        "bad query": ("package_search", {"q": "title:(a"}, None),
        "bad filter": ("datastore_search", {"resource_id": "statistics.indicators", "filters": {"none": 1}}, None),
        "bad number": ("package_search", {"rows": "many"}, None),
        "a change": ("package_create", {"name": "x"}, None),
        "no action": ("datastore_search_sql", {"sql": "select 1"}, None),
    }
    for name, (action, data, key) in calls.items():
        try:
            with RemoteCKAN(base, apikey=key) as ckan:
                told[name] = ckan.call_action(action, data)
        except (NotFound, NotAuthorized, ValidationError, SearchQueryError, CKANAPIError) as error:
            told[name] = type(error).__name__
    return told


def harvest(base: str, since: str) -> object:
    """The loop of ckanext-harvest: pages of 100 in the order of ids until an empty one; then what changed since."""
    found = {}
    for word, fq in (
        ("all", ""),
        ("since", f"metadata_modified:[{since}Z TO *]"),
        ("never", "metadata_modified:[2100-01-01T00:00:00Z TO *]"),
    ):
        names, start = [], 0
        with RemoteCKAN(base, get_only=True) as ckan:
            while True:
                page = ckan.action.package_search(rows=3, start=start, sort="id asc", fq=fq)["results"]
                if not page:
                    break
                names += [package["name"] for package in page]
                start += 3
        found[word] = names
    return found


def granted(base: str, dataset: str, token: str) -> object:
    """What a subsystem with an agreement gets: a private package, and rows."""
    session = requests.Session()
    session.headers["Lienthong-Official"] = "can-bo-01"
    with RemoteCKAN(base, apikey=token, session=session) as ckan:
        package = ckan.action.package_show(id=dataset)
        rows = ckan.action.datastore_search(resource_id=package["resources"][-1]["id"], limit=3)
        listed = ckan.action.package_search(fq="private:true", include_private=True)
    return {"private": package["private"], "rows": len(rows["records"]), "fields": len(rows["fields"]), "found": listed["count"]}


def command_line(base: str, name: str) -> object:
    """`ckanapi dump --datapackages` and `ckanapi search`."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out"
        out.mkdir()
        dump = subprocess.run(
            ["ckanapi", "dump", "datasets", name, "--datapackages", str(out), "-r", base, "-q"],
            check=False,
            capture_output=True,
            text=True,
            timeout=120,
        )
        descriptor = json.loads((out / name / "datapackage.json").read_text("utf-8"))
        files = {path.name: path.stat().st_size for path in (out / name / "data").iterdir()}
        table = next(each for each in descriptor["resources"] if each["format"] == "CSV")
        first = (out / name / table["path"]).read_text("utf-8").splitlines()[0]
    search = subprocess.run(
        ["ckanapi", "search", "datasets", "q=title:chỉ", "-r", base], check=False, capture_output=True, text=True, timeout=120
    )
    found = [json.loads(line)["name"] for line in search.stdout.splitlines()]
    return {
        "code": dump.returncode,
        "files": files,
        "head": first,
        "fields": [f["name"] for f in table["schema"]["fields"]],
        "search": found,
    }


print(json.dumps({f.__name__: f for f in (figure, actions, errors, harvest, granted, command_line)}[sys.argv[1]](*sys.argv[2:])))
