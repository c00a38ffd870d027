"""What to do next, in Vietnamese: the hints of errors are English, and who tries a source reads them in the language asked for."""

from __future__ import annotations

from collections.abc import Mapping

from lienthong.standards.phrasebook import Phrasebook

HINTS: Mapping[str, str] = {
    "Archive bombs are refused. If it is really this big, set `folder.max_unpacked_bytes`.": "Tệp nén như bom bị từ chối. Nếu dữ liệu lớn thật, hãy đặt `folder.max_unpacked_bytes`.",
    "Ask the agency for the public key of its server (`ssh-ed25519 AAAA…`); `ssh-keyscan` shows it, a person must compare it.": "Xin cơ quan khóa công khai của máy chủ (`ssh-ed25519 AAAA…`); `ssh-keyscan` cho thấy khóa, nhưng phải có người đối chiếu.",
    "Ask the agency to let it read.": "Đề nghị cơ quan cấp quyền đọc cho tài khoản này.",
    "Ask the agency whether its server was replaced, then put the new key into the option `folder.host_key`.": "Hỏi cơ quan có thay máy chủ không, rồi ghi khóa mới vào `folder.host_key`.",
    "Check `folder.auth`.": "Kiểm tra `folder.auth`.",
    "Check access_key and secret_key.": "Kiểm tra access_key và secret_key.",
    "Check user and password.": "Kiểm tra tên tài khoản và mật khẩu.",
    "Check user and password; many services want a password made for applications.": "Kiểm tra tên tài khoản và mật khẩu; nhiều dịch vụ đòi mật khẩu riêng cho ứng dụng.",
    "Check user, password and what this account may subscribe to.": "Kiểm tra tên tài khoản, mật khẩu và những chủ đề tài khoản này được nhận.",
    "Check user, password or key; is our public key known there?": "Kiểm tra tên tài khoản, mật khẩu hoặc khóa; máy chủ đã có khóa công khai của ta chưa?",
    "Check user, password, token or credentials.": "Kiểm tra tên tài khoản, mật khẩu, mã hoặc tệp giấy phép.",
    "Has the agency delivered? Is the address written right?": "Cơ quan đã gửi chưa? Địa chỉ ghi đúng chưa?",
    "Has the agency delivered? Is the folder written right?": "Cơ quan đã gửi chưa? Thư mục ghi đúng chưa?",
    "Has the agency delivered? Look at the folder and at the variables in the location.": "Cơ quan đã gửi chưa? Xem lại thư mục và các biến trong vị trí.",
    "Has the agency delivered? May this account read it?": "Cơ quan đã gửi chưa? Tài khoản này có được đọc không?",
    "If it is right, the operator allows its network in LIENTHONG_NETWORKS_OF_SOURCES.": "Nếu địa chỉ đúng, người vận hành cho phép mạng đó trong LIENTHONG_NETWORKS_OF_SOURCES.",
    "Is `stream` written right?": "`stream` ghi đúng chưa?",
    "Is it there, and may this account read it?": "Tệp có ở đó không, tài khoản này có được đọc không?",
    "Is the bucket written right? Has the agency delivered?": "Tên kho ghi đúng chưa? Cơ quan đã gửi chưa?",
    "Is the folder written right?": "Thư mục ghi đúng chưa?",
    "Is the name written right, and does this machine's name server know it?": "Tên ghi đúng chưa, máy chủ tên miền của máy này có biết tên đó không?",
    "Is the service up, is the port right, does a firewall stand between?": "Dịch vụ có chạy không, cổng đúng chưa, có tường lửa ở giữa không?",
    "Let the delivery finish (write beside, then rename), or name a `folder.done_marker`; then run again.": "Để cơ quan gửi xong (ghi tên tạm rồi đổi tên), hoặc đặt `folder.done_marker`; rồi chạy lại.",
    "Let the delivery finish (write beside, then rename), then run again.": "Để cơ quan gửi xong (ghi tên tạm rồi đổi tên), rồi chạy lại.",
    "Name a narrower folder.": "Chọn thư mục hẹp hơn.",
    "Nothing came meanwhile: are topics written right, does anybody publish now?": "Trong lúc chờ không có tin: chủ đề ghi đúng chưa, lúc này có ai gửi không?",
    "Pack it anew as ZIP or 7z.": "Nén lại thành ZIP hoặc 7z.",
    "Put it into a secret and name that in `folder.member_password`.": "Cất mật khẩu vào một bí mật và nêu tên trong `folder.member_password`.",
    "Put the authority's certificate into a file and name it in `folder.ca`; verification is never turned off.": "Lưu chứng thư của nơi cấp vào một tệp và nêu tên trong `folder.ca`; không bao giờ tắt việc kiểm tra.",
    "Run again.": "Chạy lại.",
    "Run again: it goes on after the last message published.": "Chạy lại: tiếp tục sau tin cuối cùng đã công bố.",
    "Run again: it goes on from there.": "Chạy lại: tiếp tục từ chỗ đó.",
    "Run again: what is not acknowledged comes again.": "Chạy lại: những gì chưa xác nhận sẽ đến lại.",
    "Run again: what was fetched is kept.": "Chạy lại: phần đã tải vẫn còn.",
    "Start the run again from the beginning.": "Chạy lại từ đầu.",
    "They are taken when their done-marker is there and their size stands still.": "Tệp được nhận khi có dấu đã xong và kích thước không đổi nữa.",
    "To open it write `member: '*.zip!*.csv'`.": "Muốn mở thì ghi `member: '*.zip!*.csv'`.",
    "Use another `folder.order`.": "Chọn `folder.order` khác.",
    "Write the address it leads to.": "Ghi địa chỉ mà nó dẫn tới.",
    "Write the address of the agency's server.": "Hãy ghi địa chỉ máy chủ của cơ quan.",
}  # fmt: skip
PATTERNS: Mapping[str, str] = {
    r"Did you mean `(?P<a>.+)`\?": "Có phải là `{a}`?",
    r"Set (?P<a>\S+) in the environment\.": "Đặt {a} trong môi trường.",
    r"Write `(?P<a>.+)` to read its files\.": "Ghi `{a}` để đọc các tệp trong đó.",
    r"Known: (?P<a>.+)\.": "Đã biết: {a}.",
}
_BOOK = Phrasebook(HINTS, PATTERNS)


def in_vietnamese(hint: str) -> str:
    """The hint in Vietnamese; as it is where it is a command, or of a connector of others."""
    return _BOOK.find(hint) or hint
