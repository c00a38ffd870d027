"""Our own lineage as OpenLineage: the last run of each source of a dataset as a run event, with schema, owner, version and column lineage as facets."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from lienthong import __version__
from lienthong.catalog.describing import Around
from lienthong.catalog.lineage import columns_of, lineage_of
from lienthong.contracts import Contract
from lienthong.store.catalogue import LastRun

PRODUCER = f"urn:lienthong:{__version__}"
SPEC = "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent"
_FACETS = "https://openlineage.io/spec/facets/"
_TRANSFORMED = {"source": "standardised", "list": "checked against", "register": "matched"}


def events_of(contract: Contract, runs: Sequence[LastRun], around: Around) -> list[dict[str, Any]]:
    """A COMPLETE event for the last run of each source; of a dataset made here (golden records) one that has no run of its own."""
    told = [_event(contract, run, around) for run in runs if run.ended_at is not None]
    return told or [_event(contract, None, around)]


def name_here(base: str, namespace: str, name: str, datasets: Collection[str]) -> str:
    """What a dataset of an event is called here: our own by its id, another's by namespace and name."""
    if namespace.rstrip("/") in (base.rstrip("/"), "lienthong") and name in datasets:
        return name
    return f"{namespace.rstrip('/')}/{name}"


def _event(contract: Contract, run: LastRun | None, around: Around) -> dict[str, Any]:
    job = f"{contract.id}.{run.source if run is not None else 'made'}"
    number = uuid5(NAMESPACE_URL, f"{around.base}/runs/{run.run_id if run is not None else contract.id}")
    before = [step for step in lineage_of(contract, around.contracts).before if step.kind != "source"]
    sources = [source for source in contract.sources if run is None or source.name == run.source]
    inputs = [{"namespace": f"{around.base}/sources/{source.connector}", "name": f"{contract.id}/{source.name}"} for source in sources]
    inputs += [{"namespace": around.base, "name": step.name} for step in before if step.name in around.contracts]
    return {
        "eventType": "COMPLETE",
        "eventTime": (run.ended_at if run is not None and run.ended_at is not None else around.now).isoformat(),
        "producer": PRODUCER,
        "schemaURL": SPEC,
        "run": {"runId": str(number)},
        "job": {"namespace": around.base, "name": job},
        "inputs": inputs,
        "outputs": [{"namespace": around.base, "name": contract.id, "facets": _facets(contract, run, around)}],
    }


def _facets(contract: Contract, run: LastRun | None, around: Around) -> dict[str, Any]:
    version = (
        {} if run is None or run.version is None else {"version": _facet("DatasetVersionDatasetFacet", datasetVersion=str(run.version))}
    )
    return {
        "documentation": _facet("DocumentationDatasetFacet", description=contract.description_vi or contract.title_vi),
        "schema": _facet(
            "SchemaDatasetFacet",
            fields=[{"name": p.name, "type": p.logical_type, "description": p.description or p.title_vi} for p in contract.properties],
        ),
        "ownership": _facet("OwnershipDatasetFacet", owners=[{"name": f"agency:{contract.agency}", "type": "OWNER"}]),
        **version,
        "columnLineage": _facet("ColumnLineageDatasetFacet", fields=_columns(contract, run, around)),
    }


def _columns(contract: Contract, run: LastRun | None, around: Around) -> dict[str, Any]:
    found: dict[str, Any] = {}
    connectors = {source.name: source.connector for source in contract.sources}
    for step in columns_of(contract, around.contracts):
        if not step.is_before or (step.kind == "source" and run is not None and step.name != run.source):
            continue
        ours = step.name in around.contracts
        namespace = around.base if ours else f"{around.base}/sources/{connectors.get(step.name, '')}"
        kind = "INDIRECT" if step.kind == "list" else "DIRECT"
        source = {
            "namespace": namespace,
            "name": step.name if ours else f"{contract.id}/{step.name}",
            "field": step.other,
            "transformations": [
                {"type": kind, "subtype": "FILTER" if kind == "INDIRECT" else "TRANSFORMATION", "description": _TRANSFORMED[step.kind]}
            ],
        }
        found.setdefault(step.column, {"inputFields": []})["inputFields"].append(source)
    return found


def _facet(name: str, **facts: Any) -> dict[str, Any]:
    return {"_producer": PRODUCER, "_schemaURL": f"{_FACETS}1-0-0/{name}.json#/$defs/{name}", **facts}
