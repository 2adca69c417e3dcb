//! Words of the pages that say what went wrong.

words! {
    not_found: "Không tìm thấy trang", "Page not found";
    not_found_text: "Địa chỉ này không có trang nào. Trang có thể đã đổi tên; hãy tìm lại từ danh mục.", "There is nothing at this address. The page may have another name now; look for it in the catalogue.";
    log_in_hint: "Một số trang chỉ có với người đã đăng nhập.", "Some pages are there only for those who have logged in.";
    log_in: "Đăng nhập rồi quay lại trang này", "Log in and come back to this page";
    not_allowed: "Cách gửi không được hỗ trợ", "Method not allowed";
    not_allowed_text: "Địa chỉ này không nhận yêu cầu gửi theo cách đó. Hãy mở trang từ trình đơn và gửi lại.", "This address does not take requests of that kind. Open the page from the menu and send it again.";
    cross_site: "Yêu cầu đến từ trang khác", "The request comes from another site";
    cross_site_text: "Để bảo vệ người đọc, biểu mẫu chỉ được nhận từ chính trang này, và trang khác chỉ được dẫn liên kết đến đây. Hãy mở trang từ trình đơn và gửi lại.", "To protect readers, forms are taken from this site's own pages only, and other sites may only link here. Open the page from the menu and send it again.";
    too_large: "Nội dung gửi quá dài", "What was sent is too long";
    too_large_text: "Biểu mẫu được nhận tối đa 1 MiB. Hãy rút ngắn rồi gửi lại.", "A form may be 1 MiB at most. Make it shorter and send it again.";
    too_slow: "Nội dung gửi quá chậm", "What was sent took too long";
    too_slow_text: "Máy chủ chưa nhận đủ biểu mẫu trong thời gian cho phép. Hãy gửi lại.", "The form did not arrive in time. Send it again.";
    not_understood: "Yêu cầu không đọc được", "The request could not be read";
    not_understood_text: "Máy chủ không hiểu nội dung đã gửi. Hãy mở trang từ trình đơn và gửi lại.", "The server does not understand what was sent. Open the page from the menu and send it again.";
    busy: "Hệ thống đang bận", "The system is busy";
    busy_text: "Trang này chưa tính xong trong thời gian hoặc bộ nhớ cho phép. Hãy thử lại sau ít phút.", "The page could not be computed in the time or memory that it may use. Try again in a few minutes.";
    ours: "Hệ thống gặp lỗi", "Something failed on our side";
    ours_text: "Trang chưa hiển thị được. Lỗi đã được ghi lại; dữ liệu không bị ảnh hưởng. Nếu lỗi lặp lại, hãy gửi mã yêu cầu dưới đây cho đơn vị vận hành.", "The page cannot be shown. The fault is recorded and the data are unharmed. If it happens again, send the request number below to the operators.";
    request: "Mã yêu cầu:", "Request:";
    home: "Về trang chủ", "Back to the home page";
    nothing_released: "Chưa phát hành bộ dữ liệu mở nào", "No open dataset is released yet";
    nothing_released_text: "Trang dữ liệu mở sẽ có tại địa chỉ này sau lần phát hành đầu tiên.", "The open-data site will be at this address after the first release.";
}
