//! Words of logging in and out.

words! {
    title: "Đăng nhập", "Log in";
    lead: "Dành cho lãnh đạo và cán bộ có tài khoản. Số liệu mở không cần đăng nhập.", "For leaders and staff who have an account. Open figures need none.";
    already: "Bạn đang đăng nhập với tên {0}. Đăng nhập bằng tên khác sẽ kết thúc phiên này.", "You are logged in as {0}. Logging in under another name ends this session.";
    name: "Tên đăng nhập", "Name";
    password: "Mật khẩu", "Password";
    send: "Đăng nhập", "Log in";
    refused: "Chưa đăng nhập được", "You are not logged in";
    wrong: "Tên hoặc mật khẩu không đúng.", "The name or the password is wrong.";
    locked: "Tên này đã bị nhập sai nhiều lần nên tạm khóa. Hãy thử lại sau {0} phút.", "There were too many wrong attempts for this name, so it is locked for a while. Try again in {0} minutes.";
    forgotten: "Quên mật khẩu? Đơn vị vận hành hệ thống cấp lại; không ai đọc được mật khẩu cũ.", "Forgotten it? The operators of the system give you another; nobody can read the old one.";
}
