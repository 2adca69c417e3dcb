//! What the law says about open data: the articles cited on every page, and the terms of use.

use warehouse::names::Text;

/// The articles that order the release of open health data, in force in 2026.
pub const RELEASE_BASIS: [&str; 3] = [
    "Nghị định 102/2025/NĐ-CP, Điều 10.2.c (tự do khai thác và sử dụng dữ liệu mở về y tế)",
    "Nghị định 102/2025/NĐ-CP, Điều 18.3 và 22.2 (công khai dữ liệu mở về y tế)",
    "Luật Giao dịch điện tử 20/2023/QH15, Điều 43 (dữ liệu mở của cơ quan nhà nước)",
];

/// The terms that the law itself gives to open data of state bodies.
pub fn terms() -> Text {
    Text::new(
        "Dữ liệu mở được tự do khai thác, sử dụng, sao chép, chia sẻ, kể cả cho mục đích thương \
         mại, không phải đăng ký và không mất phí (Nghị định 102/2025/NĐ-CP, Điều 10.2.c; Luật \
         Giao dịch điện tử 20/2023/QH15, Điều 43). Khi sử dụng, hãy ghi rõ nguồn và phiên bản. Dữ \
         liệu được cung cấp như hiện có, không kèm bảo đảm; cơ quan phát hành không chịu trách \
         nhiệm về hệ quả của việc sử dụng. Không được tìm cách nhận ra cá nhân từ dữ liệu này.",
        "Open data may be used, copied and shared freely, also commercially, without registration \
         and without charge (Decree 102/2025/NĐ-CP, Article 10.2.c; Law on Electronic \
         Transactions 20/2023/QH15, Article 43). Please cite the source and the version. The data \
         are provided as they are, without warranty; the publisher is not liable for what follows \
         from their use. Do not try to identify persons from these data.",
    )
}

/// What the publisher does to every dataset's values so that the same input gives the same bytes.
pub fn processing() -> Text {
    Text::new(
        "Các dòng được xếp theo giá trị các cột từ trái sang phải, ô trống ở cuối. Số thực được \
         làm tròn đến 12 chữ số có nghĩa; giá trị không xác định được để trống.",
        "Rows are sorted by the values of the columns from left to right, empty cells last. \
         Floating-point numbers are rounded to 12 significant digits; undefined values are left \
         empty.",
    )
}
