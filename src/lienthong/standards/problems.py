"""What every problem code says, in the words of a data officer."""

from __future__ import annotations

from lienthong.standards.base import Problem

_ERROR, _WARNING = "error", "warning"

_ALL = (
    # code, severity, vi, en, expected_vi, expected_en
    ("text.too_long", _ERROR, "Quá dài", "Too long", "Văn bản không dài quá mức cho phép", "Text no longer than allowed"),
    ("person_name.not_a_name", _ERROR, "Không phải họ tên", "Not a name", "Họ và tên bằng chữ", "A name in letters"),
    ("person_name.note", _WARNING, "Có chú thích kèm tên", "A note stands beside the name", "Chỉ ghi họ và tên", "The name alone"),
    ("person_name.several", _ERROR, "Tên của nhiều người", "Names of several people", "Tên của một người", "The name of one person"),
    ("person_name.telex", _WARNING, "Có thể còn sót phím gõ", "Typing keys may be left over", "Họ tên có dấu đúng, ví dụ Nguyễn", "A name with its marks, such as Nguyễn"),
    ("person_name.font", _WARNING, "Tên gõ bằng phông chữ cũ, đã đổi sang Unicode", "Typed in an old font; turned to Unicode", "Họ tên bằng Unicode", "A name in Unicode"),
    ("citizen_id.shape", _ERROR, "Sai dạng số định danh", "Not a citizen id", "12 chữ số (CCCD) hoặc 9 chữ số (CMND)", "12 digits (CCCD) or 9 digits (CMND)"),
    ("citizen_id.place", _ERROR, "Mã nơi đăng ký khai sinh không có", "Unknown place of birth", "3 số đầu là mã tỉnh 001–096 hoặc mã nước", "First 3 digits: a province 001–096 or a country"),
    ("citizen_id.synthetic", _ERROR, "Số của dữ liệu mẫu", "An id of sample data", "Số định danh thật; 097–099 chỉ dùng cho dữ liệu mẫu", "A real id; 097–099 are for sample data only"),
    ("citizen_id.zeros_restored", _WARNING, "Đã thêm lại số 0 bị mất", "Lost leading zeros were put back", "Định dạng ô là văn bản để giữ số 0 đầu", "A text cell, so that leading zeros stay"),
    ("citizen_id.rounded", _ERROR, "Số bị bảng tính làm tròn", "A spreadsheet rounded the number", "Đủ 12 chữ số, không ở dạng 9.7E+10", "All 12 digits, not 9.7E+10"),
    ("citizen_id.old_form", _ERROR, "Số CMND cũ", "An old 9-digit id", "Số định danh 12 chữ số", "A 12-digit id"),
    ("tax_code.shape", _ERROR, "Sai dạng mã số thuế", "Not a tax code", "10 chữ số, 10 chữ số-3 chữ số, hoặc 12 chữ số của cá nhân", "10 digits, 10-3 digits, or a person's 12"),
    ("tax_code.rounded", _ERROR, "Số bị bảng tính làm tròn", "A spreadsheet rounded the number", "Đủ chữ số, không ở dạng 3.8E+09", "All digits, not 3.8E+09"),
    ("tax_code.check_digit", _ERROR, "Sai chữ số kiểm tra", "Wrong check digit", "Chữ số thứ 10 khớp 9 chữ số trước", "The 10th digit fits the first 9"),
    ("tax_code.zeros_restored", _WARNING, "Đã thêm lại số 0 bị mất", "Lost leading zeros were put back", "Định dạng ô là văn bản để giữ số 0 đầu", "A text cell, so that leading zeros stay"),
    ("tax_code.synthetic", _ERROR, "Mã của dữ liệu mẫu", "A code of sample data", "Mã số thuế thật; 00… chỉ dùng cho dữ liệu mẫu", "A real code; 00… is for sample data only"),
    ("insurance_no.shape", _ERROR, "Sai dạng số bảo hiểm", "Not an insurance number", "10 chữ số", "10 digits"),
    ("insurance_no.synthetic", _ERROR, "Số của dữ liệu mẫu", "A number of sample data", "Số bảo hiểm thật; 99… chỉ dùng cho dữ liệu mẫu", "A real number; 99… is for sample data only"),
    ("insurance_no.zeros_restored", _WARNING, "Đã thêm lại số 0 bị mất", "Lost leading zeros were put back", "Định dạng ô là văn bản để giữ số 0 đầu", "A text cell, so that leading zeros stay"),
    ("date.unreadable", _ERROR, "Không đọc được ngày", "Not a date", "Ngày dạng 31/12/2020", "A date such as 31/12/2020"),
    ("date.impossible", _ERROR, "Ngày không có thật", "No such date", "Ngày có trong lịch, ví dụ 28/02/2021", "A day of the calendar, such as 28/02/2021"),
    ("date.incomplete", _ERROR, "Thiếu ngày hoặc tháng", "Day or month missing", "Đủ ngày, tháng, năm", "Day, month and year"),
    ("date.short_year", _ERROR, "Năm chỉ có hai chữ số", "A year of two digits", "Năm đủ bốn chữ số, ví dụ 31/12/1980", "A year of four digits, such as 31/12/1980"),
    ("timestamp.unreadable", _ERROR, "Không đọc được thời điểm", "Not a point in time", "Ngày và giờ, ví dụ 31/12/2020 08:00", "Date and time, such as 31/12/2020 08:00"),
    ("integer.unreadable", _ERROR, "Không phải số nguyên", "Not a whole number", "Số nguyên, ví dụ 12", "A whole number, such as 12"),
    ("decimal.unreadable", _ERROR, "Không phải số", "Not a number", "Số, ví dụ 1.234,5", "A number, such as 1,234.5"),
    ("boolean.unreadable", _ERROR, "Không phải có/không", "Not yes or no", "có hoặc không", "yes or no"),
    ("money.unreadable", _ERROR, "Không phải số tiền", "Not an amount", "Số tiền đồng, ví dụ 1.200.000 hoặc 1,2 tỷ", "An amount in đồng, such as 1.200.000 or 1,2 tỷ"),
    ("phone.shape", _ERROR, "Sai số điện thoại", "Not a phone number", "10 chữ số bắt đầu bằng 0", "10 digits that begin with 0"),
    ("phone.several", _WARNING, "Có nhiều số, lấy số đầu", "Several numbers, the first is kept", "Một số điện thoại", "One phone number"),
    ("phone.synthetic", _ERROR, "Số của dữ liệu mẫu", "A number of sample data", "Số thật; 06… chỉ dùng cho dữ liệu mẫu", "A real number; 06… is for sample data only"),
    ("agency_code.shape", _ERROR, "Sai mã định danh cơ quan", "Not an agency code", "Mã dạng H10.12", "A code such as H10.12"),
    ("admin_unit.unknown", _ERROR, "Không có đơn vị này", "No such unit", "Mã hoặc tên đơn vị hành chính có hiệu lực vào ngày đó", "Code or name of a unit in force on that day"),
    ("admin_unit.ambiguous", _ERROR, "Nhiều đơn vị cùng tên", "Several units of that name", "Ghi thêm huyện, tỉnh hoặc dùng mã", "Add the district or province, or use the code"),
    ("admin_unit.other_date", _WARNING, "Mã có hiệu lực vào ngày khác", "A code of another date", "Mã có hiệu lực vào ngày của dòng", "A code in force on the row's date"),
    ("admin_unit.replaced", _WARNING, "Tên cũ, đã ghi đơn vị thay thế", "An old name; the unit that took its place is written", "Tên đơn vị có hiệu lực vào ngày của dòng", "The name in force on the row's date"),
    ("admin_unit.split", _ERROR, "Đơn vị cũ đã chia cho nhiều đơn vị mới", "The old unit was split among several", "Tên hoặc mã đơn vị mới", "Name or code of the new unit"),
    ("admin_unit.reused", _ERROR, "Đơn vị chưa có vào ngày đó, mã khi ấy là của đơn vị khác", "No unit of that name then; its code named another", "Tên đơn vị có hiệu lực vào ngày của dòng", "The name in force on the row's date"),
    ("code_list.unknown", _ERROR, "Không có trong danh mục", "Not in the list", "Một mã hoặc tên trong danh mục", "A code or label of the list"),
    ("sex.unreadable", _ERROR, "Không rõ giới tính", "Not a sex", "Nam hoặc Nữ", "Nam or Nữ"),
    ("coordinates.unreadable", _ERROR, "Không phải tọa độ", "Not a coordinate", "Số thập phân độ, ví dụ 11,7512", "Decimal degrees, such as 11.7512"),
    ("coordinates.outside", _ERROR, "Ngoài lãnh thổ Việt Nam", "Outside Viet Nam", "Vĩ độ 6–24, kinh độ 102–118", "Latitude 6–24, longitude 102–118"),
    ("geometry.unreadable", _ERROR, "Không đọc được hình học", "Not a geometry", "GeoJSON Point, Polygon hoặc MultiPolygon", "A GeoJSON Point, Polygon or MultiPolygon"),
    ("geometry.open_ring", _ERROR, "Vùng không khép kín", "The ring is not closed", "Điểm đầu trùng điểm cuối", "First and last point the same"),
    ("geometry.outside", _ERROR, "Ngoài lãnh thổ Việt Nam", "Outside Viet Nam", "Tọa độ trong lãnh thổ Việt Nam", "Coordinates inside Viet Nam"),
    ("licence_no.shape", _ERROR, "Sai số giấy phép", "Not a licence number", "Số dạng 123/2024/GP-STNMT", "A number such as 123/2024/GP-STNMT"),
    ("parcel_id.shape", _ERROR, "Sai mã thửa đất", "Not a parcel", "Mã xã-số tờ-số thửa, ví dụ 25195-12-345", "Commune-sheet-parcel, such as 25195-12-345"),
)  # fmt: skip

PROBLEMS = {row[0]: Problem(*row) for row in _ALL}
