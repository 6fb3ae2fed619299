use std::path::Path;

use super::rounds;
use super::visitors::{Crowd, Doors, origin};
use crate::support::{
    Authority, Directory, EdgeProcess, RawVisitor, Visitor, eventually, handshake, soon,
};

const SETTINGS: &str = r#"
    certs = "certs"
    [server]
    http = ["127.0.0.1:0"]
    https = ["127.0.0.1:0"]
    [admin]
    listen = "127.0.0.1:0"
    [log]
    access = "off"
"#;

fn rules(origin: std::net::SocketAddr, group: usize) -> String {
    format!(
        "version = 1\n[[site]]\nhosts = [\"*\"]\norigin = \"http://{origin}\"\ngroup = {group}\n\
         masks = [\"#ssn\"]\n"
    )
}

/// As deployments do it: the new file is put in the old one's place.
fn replace(directory: &Path, name: &str, text: &str) {
    let beside = directory.join(format!("{name}.new"));
    std::fs::write(&beside, text).unwrap();
    std::fs::rename(beside, directory.join(name)).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn reloads_under_load_fail_no_request_and_end_no_socket() {
    let origin = origin().await;
    let house = Directory::with("edge.toml", SETTINGS);
    let (rules_at, certs) = (house.0.join("rules"), house.0.join("certs"));
    for directory in [&rules_at, &certs] {
        std::fs::create_dir(directory).unwrap();
    }
    let authority = Authority::new();
    replace(&rules_at, "rules.toml", &rules(origin.address, 1));
    replace(&certs, "a.pem", &authority.sign(&["localhost"]).both());
    let mut edge = EdgeProcess::start_in(&house.0, &["serve"]);
    let doors = Doors {
        http: edge.address_behind("http://"),
        https: edge.address_behind("https://"),
    };
    let crowd = Crowd::come(doors);
    let mut socket = RawVisitor::connect(doors.http).await;
    socket.send(handshake("localhost", "/socket", &[])).await;
    socket.read_until("\r\n\r\n").await;
    let rounds = rounds(10, 100);
    for round in 2..rounds + 2 {
        crowd.some_more().await;
        if round % 10 == 0 {
            // What has a fault changes nothing, and harms nobody.
            replace(&certs, "a.pem", "-----BEGIN CERTIFICATE-----\n");
            edge.signal("HUP");
            edge.complaint("not reloaded");
        }
        replace(&certs, "a.pem", &authority.sign(&["localhost"]).both());
        replace(&rules_at, "rules.toml", &rules(origin.address, round));
        edge.signal("HUP");
        let group = format!("data-groupid=\"{round}\"");
        eventually("the new rules are in force", async || {
            let page = Visitor::http1(doors.http).await.get("/").await;
            page.text().contains(&group)
        })
        .await;
        let word = format!("still here {round}");
        socket.send(&word).await;
        socket.read_until(&word).await;
    }
    println!("{rounds} reloads: {}", crowd.go().await);
    drop(socket);
    edge.signal("TERM");
    let ended = soon(async { tokio::task::spawn_blocking(|| edge.end()).await.unwrap() }).await;
    assert_eq!(ended.code, Some(0));
}
