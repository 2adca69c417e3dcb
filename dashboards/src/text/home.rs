//! Words of the home page.

words! {
    lead: "Số liệu y tế của cả nước và từng tỉnh, mỗi đêm lấy từ các cơ sở dữ liệu chuyên ngành, khử định danh, kiểm tra và tính lại trên ranh giới hành chính đúng ngày.", "Health figures of the country and of every province: taken each night from the specialised databases, de-identified, checked, and computed on the boundaries of the right day.";
    night: "Đêm gần nhất", "The newest night";
    no_night: "Chưa có đêm nào được chạy; các bảng còn trống.", "No night has run yet; the tables are empty.";
    night_of: "Đêm {0}", "Night of {0}";
    fresh: "bảng cập nhật", "tables up to date";
    refused: "bảng bị từ chối", "tables refused";
    stale: "bảng cũ hoặc lỗi", "tables stale or failed";
    waiting: "bảng chờ nguồn", "tables waiting for a source";
    indicators_fresh: "chỉ tiêu cập nhật", "indicators up to date";
    indicators_stale: "chỉ tiêu cũ hoặc lỗi", "indicators stale or failed";
    indicators_waiting: "chỉ tiêu chờ nguồn", "indicators waiting for a source";
    details: "Xem độ mới của từng nguồn", "How fresh each source is";
    figures: "Số liệu cả nước", "The country in figures";
    no_figures: "Chưa có số liệu chỉ tiêu.", "There are no indicator figures yet.";
    no_open_figures: "Chưa có chỉ tiêu nào được mở cho mọi người.", "No indicator is open to everyone yet.";
    all_indicators: "Tất cả chỉ tiêu ({0})", "All indicators ({0})";
    ways: "Bạn cần gì?", "What do you need?";
    leaders: "Lãnh đạo", "Leaders";
    leaders_text: "Tỉnh mình đang ở đâu, điều gì thay đổi, số liệu có tin được không: một trang, đọc trên điện thoại.", "Where the province stands, what moved and whether it can be trusted: one page, readable on a phone.";
    leaders_link: "Mở bảng điều khiển", "Open the dashboard";
    planners: "Cán bộ kế hoạch, thống kê", "Planners and statisticians";
    planners_text: "Định nghĩa từng chỉ tiêu, nguồn, bảng và cột theo quyền đọc của bạn; viết SQL ngay trên trang, tải CSV hoặc JSON.", "The definition of every indicator that you may read, its sources, tables and columns; write SQL in the page, download CSV or JSON.";
    planners_link: "Mở trang SQL", "Open the SQL page";
    planners_catalogue: "Xem danh mục cơ sở dữ liệu", "See the catalogue of databases";
    public: "Người dân, báo chí, nghiên cứu", "The public, press and researchers";
    public_text: "Bộ dữ liệu mở: xem trước, tải về, trích dẫn, đối chiếu mã kiểm tra SHA-256; không cần tài khoản.", "Open datasets: look, download, cite and check the SHA-256 sums, without an account.";
    public_link: "Mở trang dữ liệu mở", "Open the open-data site";
}
