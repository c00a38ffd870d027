"""The headings of what each agency delivers, as its file, table, service or sheet has them. Contracts name these as their sources."""

from __future__ import annotations

# cong_dan.nhan_khau. `ma_xa` is a code of the units in force until 30 June 2025 (see `rates.RATES`, A2 and A4).
POPULATION = (
    "so_ho_so", "so_dinh_danh", "ho_va_ten", "ten_goi_khac", "ngay_sinh", "nam_sinh", "gioi_tinh", "dan_toc", "ma_xa", "ma_ho", "dia_chi",
    "so_dien_thoai", "tinh_trang", "ngay_cap_nhat",
)  # fmt: skip
HEALTH_INSURANCE = (
    "Mã số BHXH", "Mã thẻ BHYT", "Họ và tên", "Ngày sinh", "Giới tính", "Số CCCD/CMND", "Mã xã", "Địa chỉ", "Điện thoại", "Nơi khám chữa bệnh",
    "Nhóm đối tượng", "Hiệu lực từ", "Hiệu lực đến",
)  # fmt: skip
SOCIAL_INSURANCE = (  # members of an object of `du_lieu`
    "ma_so_bhxh", "ho_ten", "ngay_sinh", "gioi_tinh", "so_dinh_danh", "ma_xa", "dia_chi", "dien_thoai", "noi_kham_chua_benh", "ma_so_thue_don_vi",
    "tham_gia_tu", "muc_luong_dong",
)  # fmt: skip
SOCIAL_PROTECTION = (
    "Mã đối tượng", "Họ và tên", "Ngày sinh", "Giới tính", "Số CCCD/CMND", "Đơn vị hành chính", "Điện thoại", "Loại đối tượng", "Mức hưởng (đồng/tháng)",
    "Hưởng từ",
)  # fmt: skip
BIRTHS = (
    "so", "ho_ten", "ngay_sinh", "gioi_tinh", "dan_toc", "so_dinh_danh", "ma_xa", "ho_ten_me", "so_dinh_danh_me", "ho_ten_cha", "so_dinh_danh_cha",
    "noi_cu_tru", "ngay_dang_ky",
)  # fmt: skip
DEATHS = ("so", "ho_ten", "ngay_sinh", "gioi_tinh", "so_dinh_danh", "ma_xa", "noi_cu_tru", "ngay_mat", "nguyen_nhan", "ngay_dang_ky")
MARRIAGES = (
    "so", "ho_ten_chong", "ngay_sinh_chong", "so_dinh_danh_chong", "ho_ten_vo", "ngay_sinh_vo", "so_dinh_danh_vo", "ma_xa", "noi_cu_tru", "ngay_dang_ky",
)  # fmt: skip
SCHOOLS = ("Mã trường", "Mã hệ thống khác", "Tên trường", "Cấp học", "Địa chỉ", "Mã xã", "Theo ngày", "Loại hình")
PUPILS_ONE = (
    "Mã học sinh", "Mã trường", "Họ tên", "Ngày sinh", "Giới tính", "Dân tộc", "Số định danh", "Khối", "Lớp", "Mã xã", "Địa chỉ", "Điện thoại", "Năm học",
)  # fmt: skip
PUPILS_TWO = (
    "MA_DON_VI", "MA_HS", "HO_TEN", "GIOI_TINH", "NGAY_SINH", "SO_DDCN", "TEN_LOP", "KHOI", "CHO_O", "MA_XA", "SDT_PHU_HUYNH", "DAN_TOC", "NAM_HOC",
)  # fmt: skip
TEACHERS = (
    "Mã giáo viên", "Mã trường", "Họ tên", "Ngày sinh", "Giới tính", "Số định danh", "Môn dạy", "Ngày vào ngành", "Mã xã", "Địa chỉ", "Điện thoại",
)  # fmt: skip
OFFICIALS = (  # noi_vu.v_can_bo
    "ma_cb", "ho_ten", "ngay_sinh", "gioi_tinh", "so_dinh_danh", "ma_co_quan", "ngach", "chuc_vu", "ngay_tuyen_dung", "dien_thoai", "dia_chi", "ma_xa",
    "trang_thai", "ngay_cap_nhat",
)  # fmt: skip
HOUSEHOLD_BUSINESSES = (
    "Số đăng ký", "Mã số thuế", "Tên hộ kinh doanh", "Chủ hộ", "Số CCCD/CMND", "Ngày sinh", "Địa chỉ", "Mã xã", "Mã ngành", "Vốn (đồng)", "Ngày đăng ký",
    "Điện thoại",
)  # fmt: skip
HEALTH_FACILITIES = ("Mã cơ sở", "Tên cơ sở", "Loại", "Địa chỉ", "Mã xã", "Theo ngày", "Số giường", "Số bác sĩ", "Điện thoại")
PROJECTS = (
    "Mã dự án", "Tên dự án", "Chủ đầu tư", "Nhóm", "Nguồn vốn", "Tổng mức đầu tư", "Kế hoạch năm", "Mã xã", "Khởi công", "Hoàn thành", "Tình trạng",
)  # fmt: skip
DOSSIERS = (
    "so_ho_so", "ma_thu_tuc", "ten_thu_tuc", "co_quan", "nguoi_nop", "so_dinh_danh", "ma_xa", "ngay_tiep_nhan", "ngay_hen_tra", "ngay_tra", "so_buoc",
    "buoc_hien_tai", "ket_qua", "hinh_thuc",
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
