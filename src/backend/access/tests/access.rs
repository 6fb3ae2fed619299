use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::backend::access::{Access, LoginRefusal, PasswordError, Token, hash_password};
use crate::backend::store::{AgentName, Database, Rights, Store, Verified};
use crate::groups::GroupId;
use crate::test_directory::TestDirectory;

const HOME: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const PASSWORD: &str = "correct horse battery";

/// Access to a file with one agent, and the file as another process sees it.
struct Scene {
    _directory: TestDirectory,
    beside: Database,
    access: Access,
    following: tokio::task::JoinHandle<()>,
}

impl Scene {
    async fn set() -> Self {
        let directory = TestDirectory::new();
        let path = directory.path().join("edge.db");
        let mut beside = Database::open(&path).unwrap();
        let hash = hash_password(PASSWORD).unwrap();
        beside.add_agent(&ada(), "Ada L.", None, &hash, 1).unwrap();
        beside
            .change_rights(&ada(), group(), |_| Rights::ALL)
            .unwrap();
        let access = Access::open(Store::open(&path).unwrap()).await.unwrap();
        let followed = access.clone();
        let following = tokio::spawn(async move { followed.follow().await });
        Self {
            _directory: directory,
            beside,
            access,
            following,
        }
    }

    async fn login(&self) -> Token {
        let logged_in = self.access.login("ada", PASSWORD.to_owned(), HOME).await;
        logged_in.unwrap().0
    }

    /// Within the second that was promised.
    async fn within_a_second(&self, mut holds: impl FnMut() -> bool) {
        let began = Instant::now();
        let mut agents = self.access.agents();
        while !holds() {
            let left = Duration::from_secs(1).checked_sub(began.elapsed());
            let left = left.expect("a second has passed");
            let _ =
                tokio::time::timeout(left.min(Duration::from_millis(20)), agents.changed()).await;
        }
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        self.following.abort();
    }
}

fn ada() -> AgentName {
    "ada".parse().unwrap()
}

fn group() -> GroupId {
    GroupId::new(15687).unwrap()
}

#[tokio::test]
async fn only_the_right_password_logs_in() {
    let scene = Scene::set().await;
    for (name, password) in [
        ("ada", "correct horse batterz"),
        ("ada", ""),
        ("bo", PASSWORD),
        ("", ""),
        ("ada ", PASSWORD),
    ] {
        let refused = scene.access.login(name, password.to_owned(), HOME).await;
        let refusal = refused.map(|_| ()).unwrap_err();
        assert!(matches!(refusal, LoginRefusal::Credentials), "{refusal:?}");
        assert_eq!(refusal.to_string(), "name or password is wrong");
    }
    let token = scene.login().await;
    let login = scene.access.who(&token).unwrap();
    assert_eq!(scene.access.agent(&login).unwrap().name, ada());
    assert_eq!(scene.access.rights(&login, group()), Rights::ALL);
    let other = GroupId::new(15688).unwrap();
    assert_eq!(scene.access.rights(&login, other), Rights::NONE);
}

#[tokio::test]
async fn a_password_that_is_too_long_is_never_right() {
    let scene = Scene::set().await;
    let long = "x".repeat(100_000);
    let refused = scene.access.login("ada", long.clone(), HOME).await;
    assert!(matches!(refused, Err(LoginRefusal::Credentials)));
    assert_eq!(hash_password(&long), Err(PasswordError::Long));
    assert_eq!(hash_password("elevenchars"), Err(PasswordError::Short));
}

#[tokio::test]
async fn nobody_who_is_not_there_costs_less_than_somebody_who_is() {
    let scene = Scene::set().await;
    let long = "x".repeat(5_000);
    let cost = async |name: &str, password: &str| {
        let before = scene.access.hashes_computed();
        let _ = scene.access.login(name, password.to_owned(), HOME).await;
        scene.access.hashes_computed() - before
    };
    for (name, password) in [
        ("ada", "wrong"),
        ("ada", ""),
        ("ada", &long),
        ("nobody", "wrong"),
        ("nobody", &long),
        ("no name at all!", "wrong"),
        ("", ""),
    ] {
        assert_eq!(cost(name, password).await, 1, "{name:?}");
    }
}

#[test]
fn all_hashes_are_of_one_cost() {
    let cost = |hash: &str| hash.split('$').nth(3).map(str::to_owned);
    let hash = hash_password(PASSWORD).unwrap();
    assert_eq!(cost(&hash).as_deref(), Some("m=19456,t=2,p=1"));
}

#[tokio::test]
async fn guessing_ends_before_the_password_is_found() {
    let scene = Scene::set().await;
    let mut refusals = Vec::new();
    for _ in 0..6 {
        let refused = scene.access.login("ada", "wrong".to_owned(), HOME).await;
        refusals.push(matches!(refused, Err(LoginRefusal::Rate(_))));
    }
    assert_eq!(refusals, [false, false, false, false, false, true]);
    let right = scene.access.login("ada", PASSWORD.to_owned(), HOME).await;
    assert!(matches!(right, Err(LoginRefusal::Rate(_))));
}

#[tokio::test]
async fn tokens_of_others_are_nobodys() {
    let scene = Scene::set().await;
    scene.login().await;
    assert!(scene.access.who(&Token::random().unwrap()).is_none());
    for text in [
        "",
        "x",
        "AAAA",
        &"A".repeat(42),
        &"A".repeat(44),
        &format!("{}=", "A".repeat(43)),
    ] {
        assert!(Token::parse(text).is_none(), "{text:?}");
    }
}

#[tokio::test]
async fn out_means_out_for_that_browser_only() {
    let scene = Scene::set().await;
    let (one, other) = (scene.login().await, scene.login().await);
    let login = scene.access.who(&one).unwrap();
    scene.access.logout(&one).await;
    assert!(login.is_gone() && scene.access.who(&one).is_none());
    assert_eq!(scene.access.rights(&login, group()), Rights::NONE);
    assert!(scene.access.agent(&login).is_none());
    assert!(scene.access.who(&other).is_some());
    assert_eq!(scene.beside.load_logins().unwrap().len(), 1);
}

#[tokio::test]
async fn what_another_process_takes_away_is_gone_within_a_second() {
    let mut scene = Scene::set().await;
    let login = scene.access.who(&scene.login().await).unwrap();
    let view = Rights {
        view: true,
        ..Rights::NONE
    };
    scene
        .beside
        .change_rights(&ada(), group(), |held| held.without(view))
        .unwrap();
    scene
        .within_a_second(|| !scene.access.rights(&login, group()).view)
        .await;
    assert!(scene.access.rights(&login, group()).end && !login.is_gone());
}

#[tokio::test]
async fn a_new_password_or_the_end_of_an_agent_ends_logins_within_a_second() {
    let mut scene = Scene::set().await;
    let login = scene.access.who(&scene.login().await).unwrap();
    let hash = hash_password("another password").unwrap();
    scene.beside.set_password(&ada(), &hash).unwrap();
    scene.within_a_second(|| login.is_gone()).await;
    let again = scene
        .access
        .login("ada", "another password".to_owned(), HOME)
        .await;
    let login = scene.access.who(&again.unwrap().0).unwrap();
    scene.beside.remove_agent(&ada()).unwrap();
    scene.within_a_second(|| login.is_gone()).await;
}

#[tokio::test]
async fn a_login_outlives_a_restart_and_its_token_is_not_on_disk() {
    let scene = Scene::set().await;
    let token = scene.login().await;
    let path = scene._directory.path().join("edge.db");
    let records = scene.beside.load_logins().unwrap();
    assert_eq!(records[0].token_hash, token.hash());
    for entry in std::fs::read_dir(scene._directory.path()).unwrap() {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        let text = token.to_secret_text();
        let raw = Token::parse(&text).unwrap();
        assert_eq!(raw.hash(), token.hash());
        assert!(
            !bytes
                .windows(text.len())
                .any(|window| window == text.as_bytes())
        );
    }
    let copy = scene._directory.path().join("copy.db");
    let sql = format!("VACUUM INTO '{}'", copy.display());
    rusqlite::Connection::open(path)
        .unwrap()
        .execute_batch(&sql)
        .unwrap();
    let again = Access::open(Store::open(&copy).unwrap()).await.unwrap();
    assert!(again.who(&token).is_some());
}

#[tokio::test]
async fn logins_and_refusals_are_audited_without_what_was_typed() {
    let scene = Scene::set().await;
    let token = scene.login().await;
    let _ = scene
        .access
        .login("ada", "wrong-canary".to_owned(), HOME)
        .await;
    let _ = scene
        .access
        .login("my-password-canary", "x".to_owned(), HOME)
        .await;
    scene.access.logout(&token).await;
    let lines = scene.beside.audit_lines(10).unwrap();
    let told: Vec<_> = lines
        .iter()
        .map(|line| format!("{} {} {}", line.actor, line.action, line.outcome))
        .collect();
    assert_eq!(
        told,
        [
            "agent:ada login allowed",
            "agent:ada login refused",
            "agent:? login refused",
            "agent:ada logout allowed"
        ]
    );
    assert!(!format!("{lines:?}").contains("canary"));
    let found = scene.beside.verify_audit().unwrap();
    assert!(matches!(found, Verified::Whole { lines: 4, .. }));
}

#[tokio::test]
async fn a_database_that_cannot_be_read_leaves_nobody_a_right() {
    let scene = Scene::set().await;
    let login = scene.access.who(&scene.login().await).unwrap();
    let path = scene._directory.path().join("edge.db");
    let connection = rusqlite::Connection::open(path).unwrap();
    connection.execute_batch("DROP TABLE agent_group").unwrap();
    let began = Instant::now();
    let mut agents = scene.access.agents();
    while scene.access.rights(&login, group()).any() {
        assert!(began.elapsed() < Duration::from_secs(5));
        let _ = tokio::time::timeout(Duration::from_millis(50), agents.changed()).await;
    }
    assert!(scene.access.agent(&login).is_none());
    let _: Arc<_> = login;
}
