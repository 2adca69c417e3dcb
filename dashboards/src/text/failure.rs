//! Words of the pages that say what went wrong.

words! {
    not_found: "Không tìm thấy trang", "Page not found";
    not_found_text: "Địa chỉ này không có trang nào. Trang có thể đã đổi tên; hãy tìm lại từ danh mục.", "There is nothing at this address. The page may have another name now; look for it in the catalogue.";
    not_allowed: "Cách gửi không được hỗ trợ", "Method not allowed";
    not_allowed_text: "Trang này chỉ để đọc.", "This page can only be read.";
    busy: "Hệ thống đang bận", "The system is busy";
    busy_text: "Trang này chưa tính xong trong thời gian hoặc bộ nhớ cho phép. Hãy thử lại sau ít phút.", "The page could not be computed in the time or memory that it may use. Try again in a few minutes.";
    ours: "Hệ thống gặp lỗi", "Something failed on our side";
    ours_text: "Trang chưa hiển thị được. Lỗi đã được ghi lại; dữ liệu không bị ảnh hưởng. Nếu lỗi lặp lại, hãy gửi mã yêu cầu dưới đây cho đơn vị vận hành.", "The page cannot be shown. The fault is recorded and the data are unharmed. If it happens again, send the request number below to the operators.";
    request: "Mã yêu cầu:", "Request:";
    home: "Về trang chủ", "Back to the home page";
    nothing_released: "Chưa phát hành bộ dữ liệu mở nào", "No open dataset is released yet";
    nothing_released_text: "Trang dữ liệu mở sẽ có tại địa chỉ này sau lần phát hành đầu tiên.", "The open-data site will be at this address after the first release.";
}
