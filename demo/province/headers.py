"""The headings of what each agency delivers, as its file, table, service or sheet has them. Contracts name these as their sources."""

from __future__ import annotations

# cong_dan.nhan_khau. `ma_xa` is a code of the units in force until 30 June 2025 (see `rates.RATES`, A2 and A4).
POPULATION = (
    "so_ho_so", "so_dinh_danh", "ho_va_ten", "ngay_sinh", "nam_sinh", "gioi_tinh", "dan_toc", "ma_xa", "ma_ho", "dia_chi", "so_dien_thoai",
    "tinh_trang", "ngay_cap_nhat",
)  # fmt: skip
SOCIAL_INSURANCE = (
    "Mã số BHXH", "Họ và tên", "Ngày sinh", "Giới tính", "Số CCCD/CMND", "Mã xã", "Địa chỉ", "Điện thoại", "Nơi khám chữa bệnh", "Hiệu lực từ",
    "Mức lương đóng",
)  # fmt: skip
# dBase: name and width.
POOR_HOUSEHOLDS = (
    ("MA_HO", 10), ("STT_TV", 3), ("HO_TEN", 45), ("NGAY_SINH", 10), ("GIOI_TINH", 4), ("SO_CCCD", 12), ("DAN_TOC", 12), ("QUAN_HE", 12),
    ("LOAI_HO", 10), ("DON_VI", 80), ("DIEN_THOAI", 24), ("NAM", 4),
)  # fmt: skip
LAND_PARCELS = ("ma_thua", "ma_xa", "so_to", "so_thua", "dien_tich", "loai_dat", "ngay_do_dac")  # properties; the geometry beside them
# Excel rows 4 and 5: the groups are merged over their columns; STT stands in row 4 alone.
LAND_HOLDERS = (
    ("STT", ("",)),
    ("Thửa đất", ("Mã thửa", "Chủ thứ")),
    ("Chủ sử dụng", ("Họ và tên", "Số giấy tờ", "Ngày sinh", "Địa chỉ")),
    ("Giấy chứng nhận", ("Số", "Ngày cấp")),
)
ENTERPRISES = (  # paths inside an object of `du_lieu`
    "ma_so_thue", "ten", "loai_hinh", "ngay_thanh_lap", "trang_thai", "von_dieu_le", "nganh_chinh.ma", "nganh_chinh.ten", "tru_so.dia_chi",
    "tru_so.ma_xa", "tru_so.theo_ngay", "nguoi_dai_dien.ho_ten", "nguoi_dai_dien.so_dinh_danh", "dien_thoai", "thu_dien_tu",
)  # fmt: skip
READINGS = ("tram", "chi_so", "thoi_diem", "gia_tri", "don_vi", "ma_xa")
LICENCES = (  # paths inside `GiayPhep`
    "@so", "@loai", "ToChuc/@maSoThue", "ToChuc/Ten", "NgayCap", "HetHan", "DiaDiem/@maXa", "DiaDiem/@theoNgay", "DiaDiem", "KhoiLuong", "KhoiLuong/@donVi",
)  # fmt: skip
INDICATORS = (
    "Mã",
    "Huyện, thị xã, thành phố",
)  # Excel row 4, then a column a year; row 3 has «Năm» merged above them; A2 the unit; a sheet an indicator
UNITS = ("cap", "ma", "ten", "ma_huyen", "ma_tinh", "tu_ngay", "den_ngay")
UNIT_CHANGES = ("cap", "ma_cu", "ma_moi", "bi_tach", "mac_dinh", "ngay")
ENTRIES = ("ma", "ma_cap_tren", "ten", "ten_tieng_anh", "cach_viet_khac", "tu_ngay", "den_ngay")
AGENCIES = ("ma", "ten", "loai", "ten_tat", "ma_huyen", "ma_cap_tren", "tinh_trang_ma", "co_quan_ke_thua", "tu_ngay", "den_ngay")
