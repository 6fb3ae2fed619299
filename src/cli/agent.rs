use std::time::{SystemTime, UNIX_EPOCH};

use clap::{Args, Subcommand, ValueEnum};

use super::database::DatabaseFlags;
use super::exit::Exit;
use super::flags::parse_group;
use super::password::read_password;
use super::terminal::{complain, say};
use crate::backend::access::hash_password;
use crate::backend::store::{
    Actor, AgentName, AgentNameError, AuditEntry, Database, Outcome, Rights, StoreError,
};
use crate::groups::GroupId;

/// Say who may see which sessions
///
/// Works while an edge runs on the same database: what is changed holds within a second, and who may not
/// any more is out of the session.
#[derive(Args, Clone, Debug)]
#[command(after_help = "\
A password is asked for, or read from standard input when that is no terminal; it has 12 characters at least.

Examples:
  cobrowse-edge agent add ada --display-name 'Ada L.' --groups 15687,15690
  cobrowse-edge agent grant bo 15690 --may view
  cobrowse-edge agent list")]
pub(super) struct AgentArgs {
    #[command(subcommand)]
    command: AgentCommand,
}

#[derive(Clone, Debug, Subcommand)]
enum AgentCommand {
    /// Add an agent
    Add(AddArgs),
    /// Show agents and their rights
    List {
        #[command(flatten)]
        database: DatabaseFlags,
    },
    /// Give an agent rights in groups
    Grant(RightsArgs),
    /// Take rights away; without --may all of them
    Revoke(RightsArgs),
    /// Set a new password, which ends the agent's logins
    Passwd(NameArgs),
    /// Remove an agent
    Remove(NameArgs),
}

#[derive(Args, Clone, Debug)]
struct AddArgs {
    /// What the agent logs in with
    #[arg(value_parser = parse_name)]
    name: AgentName,
    /// What visitors and other agents see [default: the name]
    #[arg(long, value_name = "NAME", value_parser = parse_display_name)]
    display_name: Option<String>,
    /// For the pages of sites that tell their visitors who is there
    #[arg(long, value_name = "WORD", value_parser = parse_display_name)]
    role: Option<String>,
    /// Groups whose sessions the agent may take part in, with commas between them
    #[arg(long, value_name = "IDS", value_parser = parse_group, value_delimiter = ',')]
    groups: Vec<GroupId>,
    /// What the agent may do there [default: view,point,end]
    #[arg(
        long,
        value_name = "RIGHTS",
        value_enum,
        value_delimiter = ',',
        requires = "groups"
    )]
    may: Vec<Right>,
    #[command(flatten)]
    database: DatabaseFlags,
}

#[derive(Args, Clone, Debug)]
struct RightsArgs {
    #[arg(value_parser = parse_name)]
    name: AgentName,
    /// Groups, with commas between them
    #[arg(required = true, value_name = "GROUPS", value_parser = parse_group, value_delimiter = ',')]
    groups: Vec<GroupId>,
    /// Which rights [default: view,point,end]
    #[arg(long, value_name = "RIGHTS", value_enum, value_delimiter = ',')]
    may: Vec<Right>,
    #[command(flatten)]
    database: DatabaseFlags,
}

#[derive(Args, Clone, Debug)]
struct NameArgs {
    #[arg(value_parser = parse_name)]
    name: AgentName,
    #[command(flatten)]
    database: DatabaseFlags,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Right {
    /// See the page
    View,
    /// Show something on it
    Point,
    /// End the session
    End,
}

impl AgentArgs {
    pub(super) fn run(self) -> Exit {
        match self.command {
            AgentCommand::Add(args) => args.run(),
            AgentCommand::List { database } => database.using(|database| list(&database)),
            AgentCommand::Grant(args) => args.change("grant", Rights::with, Rights::ALL),
            AgentCommand::Revoke(args) => args.change("revoke", Rights::without, Rights::ALL),
            AgentCommand::Passwd(args) => args.set_password(),
            AgentCommand::Remove(args) => args.remove(),
        }
    }
}

impl AddArgs {
    fn run(self) -> Exit {
        let Some(hash) = hashed(read_password()) else {
            return Exit::Refused;
        };
        let display_name = self
            .display_name
            .clone()
            .unwrap_or_else(|| self.name.to_string());
        let rights = rights_or(&self.may, Rights::ALL);
        self.database.using(|mut database| {
            let (name, role) = (&self.name, self.role.as_deref());
            database.add_agent(name, &display_name, role, &hash, now())?;
            audit(&mut database, "agent_add", name, None)?;
            for group in &self.groups {
                grant(&mut database, name, *group, rights)?;
            }
            say(format_args!("agent {name} is there"));
            tell_rights(&database, name)
        })
    }
}

impl RightsArgs {
    fn change(self, action: &'static str, join: fn(Rights, Rights) -> Rights, all: Rights) -> Exit {
        let change = rights_or(&self.may, all);
        self.database.using(|mut database| {
            for group in &self.groups {
                database.change_rights(&self.name, *group, |held| join(held, change))?;
                audit_rights(&mut database, action, &self.name, *group, change)?;
            }
            tell_rights(&database, &self.name)
        })
    }
}

impl NameArgs {
    fn set_password(self) -> Exit {
        let Some(hash) = hashed(read_password()) else {
            return Exit::Refused;
        };
        self.database.using(|mut database| {
            database.set_password(&self.name, &hash)?;
            audit(&mut database, "agent_passwd", &self.name, None)?;
            say(format_args!(
                "agent {} has a new password; all its logins have ended",
                self.name
            ));
            Ok(())
        })
    }

    fn remove(self) -> Exit {
        self.database.using(|mut database| {
            database.remove_agent(&self.name)?;
            audit(&mut database, "agent_remove", &self.name, None)?;
            say(format_args!("agent {} is gone", self.name));
            Ok(())
        })
    }
}

fn grant(
    database: &mut Database,
    name: &AgentName,
    group: GroupId,
    rights: Rights,
) -> Result<(), StoreError> {
    database.change_rights(name, group, |held| held.with(rights))?;
    audit_rights(database, "grant", name, group, rights)
}

fn list(database: &Database) -> Result<(), StoreError> {
    for agent in database.load_agents()? {
        say(format_args!("{}\t{}", agent.name, agent.display_name));
        for (group, rights) in &agent.rights {
            say(format_args!("  group {group}\t{rights}"));
        }
    }
    Ok(())
}

fn tell_rights(database: &Database, name: &AgentName) -> Result<(), StoreError> {
    let agents = database.load_agents()?;
    let agent = agents.into_iter().find(|agent| agent.name == *name);
    let rights = agent.map(|agent| agent.rights).unwrap_or_default();
    if rights.is_empty() {
        say(format_args!("  no right in any group"));
    }
    for (group, rights) in rights {
        say(format_args!("  group {group}\t{rights}"));
    }
    Ok(())
}

fn audit_rights(
    database: &mut Database,
    action: &'static str,
    name: &AgentName,
    group: GroupId,
    rights: Rights,
) -> Result<(), StoreError> {
    let entry = entry(action, format!("{name}: {rights}"));
    database.audit(&AuditEntry {
        group: Some(group),
        ..entry
    })
}

fn audit(
    database: &mut Database,
    action: &'static str,
    name: &AgentName,
    group: Option<GroupId>,
) -> Result<(), StoreError> {
    let entry = entry(action, name.to_string());
    database.audit(&AuditEntry { group, ..entry })
}

fn entry(action: &'static str, reason: String) -> AuditEntry {
    AuditEntry {
        at: now(),
        actor: Actor::Operator,
        action,
        group: None,
        session: None,
        outcome: Outcome::Allowed,
        reason,
    }
}

fn hashed(password: Result<String, String>) -> Option<String> {
    let hash = password.and_then(|password| {
        hash_password(&password)
            .map_err(|error| format!("{error}\n  remedy: choose one with 12 characters or more"))
    });
    hash.map_err(|error| complain(format_args!("error: {error}")))
        .ok()
}

fn rights_or(may: &[Right], otherwise: Rights) -> Rights {
    if may.is_empty() {
        return otherwise;
    }
    Rights {
        view: may.contains(&Right::View),
        point: may.contains(&Right::Point),
        end: may.contains(&Right::End),
    }
}

fn parse_name(text: &str) -> Result<AgentName, AgentNameError> {
    text.parse()
}

fn parse_display_name(text: &str) -> Result<String, String> {
    let plain = !text.trim().is_empty() && !text.chars().any(char::is_control);
    let fits = text.chars().count() <= 63;
    (plain && fits)
        .then(|| text.to_owned())
        .ok_or_else(|| "write 1 to 63 characters in one line".to_owned())
}

fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| {
        i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
    })
}
