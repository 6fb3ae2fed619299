use super::house::{ALL, Office, VIEW, hears};
use crate::backend::house::closed;

/// The same agent, without a click, in the same session.
#[tokio::test]
async fn after_a_restart_the_login_and_the_session_are_there() {
    let office = Office::open(&[("ada", ALL, VIEW)]).await;
    let page = office.visitor(1).await;
    let (session, _) = office.session(1);
    let mut ada = office.login("ada").await;
    let mut desk = ada.desk().await;
    let mut seat = ada.join(&session).await;
    let cookie = page.cookie.clone();
    drop(page);
    let reopening = tokio::spawn(office.reopen());
    assert_eq!(closed(&mut desk).await, Some(1012));
    assert_eq!(closed(&mut seat).await, Some(1012));
    let office = reopening.await.unwrap();
    ada.address = office.address;
    assert_eq!(ada.get("/api/account").await.status, 200);
    let mut seat = ada.join(&session).await;
    let (_socket, welcome) = office.house.visit(&cookie, "tab", "/").await;
    assert_eq!(welcome["state"], "live");
    while hears(&mut seat, "session").await["session"]["state"] != "live" {}
}
