"""`POST …/records`: rows that an agency's system sends, judged like any source's, with a verdict for each."""

from __future__ import annotations

from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from lienthong.contracts import Contract
from lienthong.errors import BadRequest, Unprocessable
from lienthong.pipeline import Submission, submit_records
from lienthong.sharing.filters import read_known
from lienthong.web.asking import Counter, contract_of, json_answer
from lienthong.web.bodies import read_json

LARGEST_BODY = 5_000_000
MOST_RECORDS = 1000
LONGEST_KEY = 200


async def submit(counter: Counter, request: Request) -> Response:
    """Take a batch of records. The same `Idempotency-Key` with the same records gives the same answer and does nothing."""
    contract = contract_of(counter, request)
    right = await run_in_threadpool(counter.authorise, request, contract, "submit")
    read_known(request.query_params.multi_items(), ())
    idempotency_key = _idempotency_key(request)
    records = _records(await read_json(request, LARGEST_BODY))

    def take() -> Submission:
        return submit_records(
            counter.workshop,
            contract,
            records,
            caller=right.caller,
            idempotency_key=idempotency_key,
            official=right.official,
            purpose=right.purpose,
        )

    given = await run_in_threadpool(take)
    answer = {"run": given.run_id, "repeated": given.is_repeat, "verdicts": [_verdict(contract, verdict) for verdict in given.verdicts]}
    return json_answer(answer)


def _idempotency_key(request: Request) -> str:
    key = request.headers.get("idempotency-key", "")
    if not 1 <= len(key) <= LONGEST_KEY or not all("!" <= character <= "~" for character in key):
        raise BadRequest(
            f"Expected the header Idempotency-Key of 1 to {LONGEST_KEY} plain characters, found {len(key)}.",
            hint="Make one for each batch, for example a UUID, and send the same one when you try again.",
            hint_vi="Hãy tạo một khóa cho mỗi đợt, ví dụ một UUID, và gửi lại đúng khóa đó khi thử lại.",
            vi=f"Tiêu đề Idempotency-Key cần 1 đến {LONGEST_KEY} ký tự thường.",
        )
    return key


def _records(body: Any) -> list[dict[str, Any]]:
    if not isinstance(body, dict) or set(body) != {"records"} or not isinstance(body["records"], list):
        raise Unprocessable('Expected {"records": […]} and nothing else.', vi='Cần {"records": […]} và không gì khác.')
    records = body["records"]
    if not 1 <= len(records) <= MOST_RECORDS:
        raise Unprocessable(
            f"`records`: expected 1 to {MOST_RECORDS}, found {len(records)}.",
            vi=f"`records`: từ 1 đến {MOST_RECORDS}, nhận được {len(records)}.",
        )
    for number, record in enumerate(records, 1):
        if not isinstance(record, dict):
            raise Unprocessable(
                f"`records`, row {number}: expected an object of property and value.",
                vi=f"`records`, hàng {number}: cần trường và giá trị.",
            )
        for name, value in record.items():
            if value is not None and not isinstance(value, str | int | float | bool):
                raise Unprocessable(
                    f"`records`, row {number}, `{name[:60]}`: expected text, a number, true, false or null.",
                    vi=f"`records`, hàng {number}, `{name[:60]}`: cần chữ, số, true, false hoặc null.",
                )
    return records


def _verdict(_: Contract, verdict: dict[str, Any]) -> dict[str, Any]:
    return verdict
