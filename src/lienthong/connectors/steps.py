"""What trying a source says: one step after another, in words."""

from __future__ import annotations

from dataclasses import dataclass

STAGES = {
    "variables": ("Biến và bí mật trong hợp đồng đều có", "variables and secrets of the contract are all there"),
    "resolved": ("Tên máy chủ tìm thấy, địa chỉ được phép", "the host's name is known, its address allowed"),
    "connected": ("Kết nối được", "connected"),
    "host_key": ("Khóa máy chủ đúng như đã thỏa thuận", "the host key is the one agreed"),
    "encrypted": ("Kết nối mã hóa, chứng thư được tin", "encrypted, the certificate is trusted"),
    "signed_in": ("Đăng nhập được", "signed in"),
    "subscribed": ("Đăng ký nhận tin được", "subscribed"),
}


@dataclass(frozen=True)
class Step:
    """One thing that was tried. `hint`: what to do next, where it did not work."""

    is_ok: bool
    vi: str
    en: str
    hint: str = ""


def stage(code: str) -> Step:
    """A stage of opening that was reached."""
    return Step(True, *STAGES[code])
