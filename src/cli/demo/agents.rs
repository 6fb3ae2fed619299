use std::fmt;
use std::net::SocketAddr;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use aws_lc_rs::rand;

use crate::backend::access::hash_password;
use crate::backend::store::{AgentName, Database, Rights, StoreError};
use crate::groups::GroupId;

/// The demo's agents, as the terminal tells of them.
#[derive(Debug)]
pub(in crate::cli) struct Cast(Vec<Player>);

#[derive(Debug)]
struct Player {
    name: &'static str,
    /// `None`: as it was told before, when the database was made.
    password: Option<String>,
    groups: &'static [u32],
}

/// The cast, and where it works.
#[derive(Debug)]
pub(in crate::cli) struct Desk<'a> {
    pub(in crate::cli) cast: &'a Cast,
    pub(in crate::cli) address: SocketAddr,
}

/// Who sees which sessions: the first those of the bank's pages, the second those of mortgages and of the chat.
const PARTS: [(&str, &str, &[u32]); 2] = [
    ("ada", "Ada L.", &[15687, 15688, 15690]),
    ("bo", "Bo M.", &[15690, 15691]),
];

impl Cast {
    /// With passwords made just now, unless they are in the database already.
    pub(in crate::cli) fn hire(database: &Path) -> Result<Self, StoreError> {
        let mut database = Database::open(database)?;
        let players = PARTS.iter().map(|(name, display_name, groups)| {
            let password = hire(&mut database, name, display_name, groups)?;
            Ok(Player {
                name,
                password,
                groups,
            })
        });
        players.collect::<Result<_, _>>().map(Self)
    }
}

fn hire(
    database: &mut Database,
    name: &str,
    display_name: &str,
    groups: &[u32],
) -> Result<Option<String>, StoreError> {
    // Names and groups of this file are good ones.
    let Ok(name) = name.parse::<AgentName>() else {
        return Ok(None);
    };
    let agents = database.load_agents()?;
    if agents.iter().any(|agent| agent.name == name) {
        return Ok(None);
    }
    let password = password().ok_or(StoreError::Stopped)?;
    let hash = hash_password(&password).map_err(|_| StoreError::Stopped)?;
    database.add_agent(&name, display_name, None, &hash, now())?;
    for group in groups
        .iter()
        .filter_map(|group| GroupId::new((*group).into()))
    {
        database.change_rights(&name, group, |_| Rights::ALL)?;
    }
    Ok(Some(password))
}

/// 80 random bits, in letters that are not taken for one another.
fn password() -> Option<String> {
    let mut bytes = [0; 16];
    rand::fill(&mut bytes).ok()?;
    let letters = bytes.map(|byte| char::from(LETTERS[usize::from(byte % 32)]));
    let parts: Vec<String> = letters
        .chunks(4)
        .map(|part| part.iter().collect())
        .collect();
    Some(parts.join("-"))
}

const LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";

fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| {
        i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
    })
}

/// The tests in `tests/browser` read these lines, too.
impl fmt::Display for Desk<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "  agents' console    http://{}", self.address)?;
        for Player {
            name,
            password,
            groups,
        } in &self.cast.0
        {
            let password = password.as_deref().unwrap_or("(as told before)");
            let groups: Vec<_> = groups.iter().map(u32::to_string).collect();
            let groups = groups.join(", ");
            writeln!(
                f,
                "    agent {name:<4} password {password}   groups {groups}"
            )?;
        }
        write!(
            f,
            "Log in there, start a session on a page, and join it from the list."
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_directory::TestDirectory;

    #[test]
    fn two_agents_of_different_groups_with_passwords_of_their_own() {
        let directory = TestDirectory::new();
        let path = directory.path().join("cobrowse.db");
        let (first, again) = (Cast::hire(&path).unwrap(), Cast::hire(&path).unwrap());
        let agents = Database::open(&path).unwrap().load_agents().unwrap();
        assert_eq!(agents.len(), 2);
        assert_ne!(agents[0].rights, agents[1].rights);
        let passwords: Vec<_> = first
            .0
            .iter()
            .filter_map(|one| one.password.clone())
            .collect();
        assert!(passwords.len() == 2 && passwords[0] != passwords[1]);
        assert!(passwords.iter().all(|password| password.len() == 19));
        assert!(again.0.iter().all(|player| player.password.is_none()));
        let address = SocketAddr::from(([127, 0, 0, 1], 8090));
        let cast = &first;
        let told = Desk { cast, address }.to_string();
        assert!(told.contains("http://127.0.0.1:8090\n") && told.contains(&passwords[1]));
    }
}
