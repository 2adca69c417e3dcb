//! Words of the leaders' dashboard.

words! {
    title: "Bảng điều khiển", "Dashboard";
    title_of: "{0}: tình hình y tế", "{0}: how health stands";
    choices: "Chọn nội dung xem", "Choose what to see";
    boundaries: "Ranh giới", "Boundaries";
    today: "{0} tỉnh, thành phố hiện nay", "{0} provinces of today";
    before: "{0} tỉnh, thành phố trước 01/7/2025", "{0} provinces before 1 July 2025";
    indicator: "Chỉ tiêu của biểu đồ và bản đồ", "Indicator of chart and map";
    breakdown: "Phân tổ", "Breakdown";
    show: "Xem", "Show";
    moved: "{0} trên ranh giới này thuộc {1}.", "{0} is part of {1} on these boundaries.";
    moved_back: "{0} khi đó gồm nhiều tỉnh; đang xem {1}.", "{0} was several provinces then; this is {1}.";
    unknown_province: "Không có tỉnh “{0}” trên ranh giới này; đang xem {1}.", "There is no province “{0}” on these boundaries; this is {1}.";
    unknown_indicator: "Không có chỉ tiêu “{0}”; đang xem {1}.", "There is no indicator “{0}”; this is {1}.";
    unknown_period: "Chỉ tiêu này không có kỳ đã chọn; đang xem {0}.", "The indicator has no such period; this is {0}.";
    cards: "Các chỉ tiêu chính", "Main indicators";
    card_country: "Cả nước {0}: {1}", "Country {0}: {1}";
    card_rank: "thứ {0} từ cao xuống, trong {1} tỉnh có số liệu", "rank {0} of {1} provinces with figures, highest first";
    card_missing: "không có số liệu cho tỉnh này", "no figure for this province";
    card_partial: "Thiếu số liệu của {0} trong {1} tỉnh đã sáp nhập.", "Figures of {0} of {1} merged provinces are missing.";
    card_older: "Cả nước đã có số liệu {0}.", "The country has figures for {0}.";
    others_caption: "Các chỉ tiêu khác của {0}", "Other indicators of {0}";
    trend: "Diễn biến", "Over time";
    trend_title: "{0}: {1}, {2} đến {3}", "{0}: {1}, {2} to {3}";
    trend_text: "{0}: từ {1} ({2}) đến {3} ({4}). Số liệu đầy đủ trong bảng bên cạnh.", "{0}: from {1} ({2}) to {3} ({4}). All figures are in the table beside it.";
    trend_caption: "{0}, {1}", "{0}, {1}";
    trend_own_only: "Đây là số đếm, nên biểu đồ không vẽ cả nước bên cạnh tỉnh.", "This is a count, so the country is not drawn beside the province.";
    no_trend: "Không có số liệu của tỉnh này.", "There are no figures for this province.";
    map: "Bản đồ", "Map";
    map_title: "{0}, {1}: các tỉnh, thành phố", "{0}, {1}: the provinces";
    map_text: "Cao nhất {0} ({1}), thấp nhất {2} ({3}); {4} trong {5} tỉnh có số liệu.", "Highest {0} ({1}), lowest {2} ({3}); {4} of {5} provinces have figures.";
    map_caption: "{0}, {1}: xếp từ cao đến thấp", "{0}, {1}: highest first";
    rank: "Hạng", "Rank";
    legend: "Chú giải", "Legend";
    legend_class: "{0} – {1} ({2} tỉnh)", "{0} – {1} ({2})";
    legend_missing: "không có số liệu ({0} tỉnh)", "no figure ({0})";
    legend_how: "Năm lớp có số tỉnh gần bằng nhau.", "Five classes with about as many provinces each.";
    tiles: "Mỗi ô là một tỉnh, đặt gần đúng vị trí địa lý.", "Each tile is a province, roughly where it lies.";
    incomplete: "thiếu {0}/{1} tỉnh cũ", "{0} of {1} former provinces missing";
    incomplete_note: "{0} tỉnh sáp nhập chưa đủ số liệu của các tỉnh cũ nên không tính tổng.", "{0} merged provinces lack figures of a former province, so no sum is given.";
    trust: "Số liệu này ở đâu ra", "Where the figures come from";
    no_indicators: "Chưa có chỉ tiêu nào để hiển thị.", "There is no indicator to show yet.";
    no_units: "Chưa khai báo đơn vị hành chính.", "No administrative units are declared yet.";
    definition: "Định nghĩa đầy đủ", "The full definition";
    recompute: "Số đếm được cộng; tỷ lệ được tính lại từ tổng tử số và tổng mẫu số, không lấy trung bình.", "Counts are added; rates are computed again from the sums of numerators and denominators, never averaged.";
}
