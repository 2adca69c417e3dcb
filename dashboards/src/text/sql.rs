//! Words of the SQL page.

words! {
    title: "Trang SQL", "SQL page";
    lead: "Viết một câu SELECT. Chỉ đọc, không sửa được gì; câu lệnh và kết quả không được lưu lại và không nằm trong địa chỉ trang.", "Write one SELECT. It can only read; neither the query nor its result is kept or stands in the page's address.";
    query: "Câu lệnh SQL", "SQL query";
    run: "Chạy", "Run";
    result: "Kết quả", "Result";
    caption: "{0} dòng", "{0} rows";
    caption_cut: "{0} dòng đầu; còn nữa. Tải về để có tất cả.", "The first {0} rows; there are more. Download to have all.";
    limit: "Trang hiển thị tối đa {0} dòng; tệp tải về không bị cắt.", "The page shows at most {0} rows; downloads are not cut.";
    took: "Chạy trong {0} ms.", "Answered in {0} ms.";
    empty: "Câu lệnh chạy xong, không có dòng nào.", "The query ran and gave no rows.";
    download: "Tải về:", "Download:";
    csv: "CSV", "CSV";
    csv_excel: "CSV cho Excel", "CSV for Excel";
    json: "JSON", "JSON";
    formulas: "Trong tệp CSV, ô chữ bắt đầu bằng =, +, -, @ có thêm dấu nháy ' ở đầu để bảng tính không chạy nó như công thức; ô số giữ nguyên. Tệp JSON giữ nguyên mọi giá trị.", "In CSV files, text that begins with =, +, - or @ has an apostrophe ' put in front, so that a spreadsheet does not run it as a formula; numbers are left alone. JSON files hold every value as it is.";
    failed: "Câu lệnh chưa chạy được", "The query did not run";
    code: "Mã lỗi {0}", "Code {0}";
    hint_syntax: "Kiểm tra dấu phẩy, dấu ngoặc và từ khóa quanh chỗ được nêu. Cú pháp theo PostgreSQL.", "Check commas, brackets and keywords near the place named. The dialect is PostgreSQL's.";
    hint_not_found: "Tên bảng luôn có lược đồ, như kho.ten_bang; xem danh sách bảng trên trang này. Bảng ngoài quyền đọc cũng báo như không có.", "A table's name always has its schema, as in kho.ten_bang; see the list on this page. Tables that you may not read are reported as not there.";
    hint_read_only: "Bỏ INSERT, UPDATE, DELETE, CREATE, COPY, SET; chỉ dùng một câu SELECT, EXPLAIN hoặc SHOW.", "Leave out INSERT, UPDATE, DELETE, CREATE, COPY and SET; send one SELECT, EXPLAIN or SHOW.";
    hint_data: "Dùng TRY_CAST cho chuyển kiểu và NULLIF(mẫu số, 0) cho phép chia.", "Use TRY_CAST to convert and NULLIF(denominator, 0) to divide.";
    hint_unsupported: "Thử viết lại bằng JOIN, WITH hoặc hàm cửa sổ.", "Try to write it with JOIN, WITH or a window function.";
    hint_large: "Thêm điều kiện WHERE, bớt cột hoặc nhóm, rồi chạy lại.", "Add a WHERE, take fewer columns or groups, and run it again.";
    hint_complex: "Chia câu lệnh thành phần nhỏ hơn: bớt điều kiện, bớt tầng lồng nhau; dùng IN (…) hoặc JOIN thay cho danh sách OR dài.", "Split the query: fewer conditions, fewer levels; use IN (…) or a JOIN in place of a long list of ORs.";
    hint_busy: "Có nhiều truy vấn đang chờ. Hãy gửi lại sau ít giây.", "Many queries are waiting. Send it again in a few seconds.";
    hint_stopped: "Hãy gửi lại sau ít phút.", "Send it again in a few minutes.";
    hint_internal: "Lỗi đã được ghi lại. Thử một câu đơn giản hơn.", "The fault is recorded. Try a simpler query.";
    examples: "Câu lệnh mẫu", "Examples";
    example_tables: "Những bảng nào đang có?", "Which tables are there?";
    example_country: "Diễn biến cả nước của một chỉ tiêu", "One indicator over time, whole country";
    example_today: "Một chỉ tiêu theo {0} tỉnh hiện nay, kỳ mới nhất", "One indicator by today's {0} provinces, newest period";
    example_before: "Cùng chỉ tiêu trên ranh giới trước sáp nhập", "The same on the boundaries before the merger";
    tables: "Các bảng đọc được", "Tables that you may read";
    country_view: "Chỉ tiêu cộng cả nước", "Indicators summed over the country";
    boundaries_function: "Chỉ tiêu trên ranh giới của một ngày", "Indicators on the boundaries of a day";
    clients: "Cùng dữ liệu này có thể đọc bằng psql, DBeaver, Power BI hoặc Excel qua giao thức PostgreSQL.", "The same data can be read with psql, DBeaver, Power BI or Excel over the PostgreSQL protocol.";
}
