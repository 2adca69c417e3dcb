//! Words of the list of indicators and of an indicator's own page.

words! {
    title: "Chỉ tiêu", "Indicators";
    lead: "Mỗi chỉ tiêu có một định nghĩa, một phiên bản và một nguồn; tử số và mẫu số được giữ lại để tính lại trên mọi ranh giới hành chính.", "Every indicator has one definition, one version and one source; numerators and denominators are kept, so that it can be computed on any boundaries.";
    none: "Chưa có chỉ tiêu nào mà bạn đọc được.", "There is no indicator that you may read.";
    caption: "Các chỉ tiêu và giá trị cả nước mới nhất", "Indicators and their newest national values";
    newest: "Cả nước, mới nhất", "Country, newest";
    newest_period: "Kỳ mới nhất", "Newest period";
    group_list: "Nhóm", "Groups";
    definition: "Định nghĩa", "Definition";
    factor: "Hệ số", "Factor";
    count: "Số đếm, không có mẫu số", "A count; no denominator";
    breakdown: "Phân tổ", "Breakdown";
    choose_breakdown: "Chọn phân tổ", "Choose a breakdown";
    show: "Xem", "Show";
    direction: "Chiều tốt", "Which way is better";
    higher_better: "cao hơn là tốt hơn", "higher is better";
    lower_better: "thấp hơn là tốt hơn", "lower is better";
    caveats: "Lưu ý khi dùng", "Before you use it";
    trend: "Diễn biến cả nước", "The country over time";
    trend_title: "{0}, cả nước, {1} đến {2}", "{0}, whole country, {1} to {2}";
    trend_text: "Thấp nhất {0} ({1}), cao nhất {2} ({3}). Số liệu đầy đủ trong bảng bên cạnh.", "Lowest {0} ({1}), highest {2} ({3}). All figures are in the table beside it.";
    trend_caption: "{0}: cả nước theo kỳ", "{0}: country by period";
    provinces: "Số tỉnh có số liệu", "Provinces with figures";
    of: "{0}/{1}", "{0}/{1}";
    no_figures: "Chưa có số liệu cho chỉ tiêu này.", "There are no figures for this indicator yet.";
    by_province: "Xem theo tỉnh trên bảng điều khiển", "See the provinces on the dashboard";
    sql: "Câu lệnh SQL tạo ra chỉ tiêu", "The SQL that makes it";
    inputs: "Tính từ các bảng", "Made from the tables";
    inputs_hidden: "và bảng khác ngoài quyền đọc của bạn", "and others that you may not read";
    inputs_all_hidden: "các bảng ngoài quyền đọc của bạn", "tables that you may not read";
}
