"""`lienthong serve`, `status`, `check`: the platform as a whole."""

from __future__ import annotations

from lienthong.cli.opening import settings, workshop
from lienthong.cli.words import RUN_STATES, at, out, say, show
from lienthong.errors import StoreError


def serve() -> None:
    """Mở máy chủ API và trang tài liệu · serve the API and its pages."""
    from lienthong.web.serve import serve as run

    run(settings())


def status() -> None:
    """Tình trạng từng bộ dữ liệu · the state of each dataset."""
    from lienthong.store import quarantine, runs

    place = workshop()
    with place.database.connect() as connection:
        held: dict[str, int] = dict(connection.execute("select dataset_id, current_version from lienthong.datasets").fetchall())
        rows = []
        for name, contract in place.contracts.items():
            last = runs.recent(connection, name, 1)
            waiting = quarantine.counts(connection, name).get("waiting", 0)
            state, when = (say(*RUN_STATES[last[0].state]), at(last[0].started_at)) if last else ("–", "")
            rows.append((name, say(contract.title_vi, contract.title_en), held.get(name, "–"), state, when, waiting))
    show(
        (
            ("Bộ dữ liệu", "Dataset"),
            ("Tên", "Title"),
            ("Phiên bản", "Version"),
            ("Lần cuối", "Last run"),
            ("Lúc", "At"),
            ("Chờ xử lý", "Waiting"),
        ),
        rows,
    )


def check() -> None:
    """Kiểm tra tính toàn vẹn của kho · prove what the tables promise."""
    from lienthong.store import integrity

    with workshop().database.connect() as connection:
        findings = integrity.check_datasets(connection)
    broken = [finding for finding in findings if finding.found]
    for finding in broken:
        out.print(f"✗ {finding.dataset_id}: {say(finding.vi, finding.en)} ({finding.found})")
    if broken:
        raise StoreError(say(f"{len(broken)} điều không đúng.", f"{len(broken)} promises are broken."))
    out.print(say(f"Đúng cả {len(findings)} điều.", f"All {len(findings)} promises hold."))
