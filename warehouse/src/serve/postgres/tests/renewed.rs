//! A connection that lives on while what is served changes.

use super::*;

#[tokio::test]
async fn what_was_prepared_is_about_what_is_served_when_it_is_bound() {
    let shared = shared(WireLimits::default()).await;
    let (mut client, _) = logged_in(&shared).await;
    let sql = "SELECT coalesce(ten_don_vi('24@2004-01-01'), 'không có')";
    client.send(b'P', &[&text("s")[..], &text(sql), &[0, 0]].concat()).await;
    let mut run = async || {
        client.send(b'B', &[&[0][..], &text("s"), &[0; 6]].concat()).await;
        client.send(b'E', &[0; 5]).await;
        client.send(b'S', b"").await;
        cells(&client.until_ready().await)
    };
    assert_eq!(run().await, ["không có"]);
    let units = "don_vi,ma,ten,ten_en,loai,tu_ngay,den_ngay,can_cu\n\
        24@2004-01-01,24,Bắc Giang,Bac Giang,tinh,2004-01-01,,x\n";
    let units = Geography::from_declared(units, "tu_don_vi,den_don_vi,ngay,can_cu\n").unwrap();
    let before = shared.served.now();
    let limits = before.limits();
    let now = before.described_by(Arc::new(Declarations::default()), Arc::new(units), limits);
    shared.served.replace(now, vec![who()]);
    assert_eq!(run().await, ["Bắc Giang"]);
    assert_eq!(cells(&client.query(sql).await), ["Bắc Giang"]);
    let asked = before.door(&who().0, crate::query::Via::Page).ask(sql).await.unwrap();
    let grid = asked.grid(1).await.unwrap();
    assert_eq!(grid.rows[0][0].to_string(), "không có", "who has taken it keeps it");
}
