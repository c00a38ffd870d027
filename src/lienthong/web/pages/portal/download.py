"""Open data as a file: whole, streamed as it is read, an entry in the ledger before its first byte and after its last."""

from __future__ import annotations

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from lienthong.contracts import Contract, Sharing
from lienthong.errors import Denied, NotFound
from lienthong.sharing.filters import read_list
from lienthong.sharing.formats import CSV, JSON, PARQUET
from lienthong.sharing.way_out import no_dataset
from lienthong.sharing.workbook import XLSX
from lienthong.web.pages.site import Site
from lienthong.web.records import file_of

FORMATS = {"csv": CSV, "xlsx": XLSX, "parquet": PARQUET, "json": JSON}


async def give(site: Site, request: Request) -> Response:
    """The file. Raises NotFound for another format, Denied for data that is not open."""
    return await run_in_threadpool(_give, site, request)


def _give(site: Site, request: Request) -> Response:
    contract = _contract(site, request)
    chosen = FORMATS.get(request.path_params["format"])
    if chosen is None:
        raise NotFound(
            f"There is no such format: one of {', '.join(FORMATS)}.", vi=f"Không có định dạng này: một trong {', '.join(FORMATS)}."
        )
    if contract.sharing is not Sharing.OPEN:
        raise Denied(
            "This dataset is given under an agreement only.", vi="Bộ dữ liệu này chỉ cung cấp theo thỏa thuận.", rule="no_agreement"
        )
    right = site.counter.authorise(request, contract, "bulk")
    parameters = [*request.query_params.multi_items(), *([("bom", "true")] if chosen == CSV and "bom" not in request.query_params else [])]
    return file_of(site.counter, request, contract, read_list(parameters, contract), right, chosen)


def _contract(site: Site, request: Request) -> Contract:
    contract = site.contracts.get(request.path_params["dataset"])
    if contract is None or contract.is_hidden:
        raise no_dataset(request.path_params["dataset"])
    return contract
