use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior, interval};

use super::agents::Agents;
use super::limits::{Guess, Limits, RateLimited};
use super::logins::{Login, Logins};
use super::password::Passwords;
use super::refusals::Refusals;
use super::token::Token;
use crate::backend::store::{
    Actor, AgentRecord, AuditEntry, LoginRecord, Outcome, Rights, SessionId, Store, StoreError,
};
use crate::backend::unix_now;
use crate::groups::GroupId;

/// Everything about who may do what. Clones are the same.
#[derive(Clone, Debug)]
pub struct Access(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    store: Store,
    agents: watch::Sender<Arc<Agents>>,
    logins: Logins,
    passwords: Passwords,
    limits: Limits,
    refusals: Refusals,
}

/// Why somebody is not logged in.
#[derive(Debug, thiserror::Error)]
pub enum LoginRefusal {
    /// No such agent, or not this password: which of them is not told.
    #[error("name or password is wrong")]
    Credentials,
    #[error(transparent)]
    Rate(#[from] RateLimited),
    /// It could not be written down, and so did not happen.
    #[error("nobody can be logged in")]
    Unavailable(#[source] StoreError),
}

impl Access {
    /// Reads who there is, and who is logged in.
    pub async fn open(store: Store) -> Result<Self, StoreError> {
        let agents = Agents::new(store.load_agents().await?);
        let logins = Logins::default();
        logins.load(&store.load_logins().await?);
        let passwords = tokio::task::spawn_blocking(Passwords::new).await;
        let passwords = passwords
            .ok()
            .and_then(Result::ok)
            .ok_or(StoreError::Stopped)?;
        Ok(Self(Arc::new(Shared {
            store,
            agents: watch::Sender::new(Arc::new(agents)),
            logins,
            passwords,
            limits: Limits::default(),
            refusals: Refusals::default(),
        })))
    }

    /// Takes up what other processes change, and ends logins that are good no more. Runs until dropped.
    pub async fn follow(&self) {
        let mut ticks = interval(POLL_INTERVAL);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut version = None;
        let mut failures = 0;
        loop {
            ticks.tick().await;
            match self.take_up(version).await {
                Ok(now) => (version, failures) = (Some(now), 0),
                // So many wait for the disk: it is read when they are done.
                Err(StoreError::Busy) => {}
                Err(error) => {
                    failures += 1;
                    if failures == FAILURES_MAX {
                        tracing::error!(%error, "agents cannot be read: nobody may do anything");
                        self.0.agents.send_replace(Arc::default());
                    }
                }
            }
            self.sweep().await;
        }
    }

    /// The agents of now, and whenever they change.
    pub fn agents(&self) -> watch::Receiver<Arc<Agents>> {
        self.0.agents.subscribe()
    }

    /// Logs an agent in.
    pub async fn login(
        &self,
        name: &str,
        password: String,
        address: IpAddr,
    ) -> Result<(Token, Arc<AgentRecord>), LoginRefusal> {
        let limits = &self.0.limits;
        if let Err(limited) = limits.attempt(Guess::Password, name, address) {
            return Err(limited.into());
        }
        let agent = self.0.agents.borrow().named(name);
        let kept = agent.as_ref().map(|agent| agent.password.clone());
        let checked = self.0.passwords.is_right(password, kept).await;
        let is_right = checked.map_err(|_| {
            // It was not looked at, so it was no guess.
            limits.was_right(Guess::Password, name, address);
            LoginRefusal::Unavailable(StoreError::Busy)
        })?;
        let Some(agent) = agent.filter(|_| is_right) else {
            return Err(self.refuse_login(name).await);
        };
        limits.was_right(Guess::Password, name, address);
        let token = self.admit(&agent).await?;
        Ok((token, agent))
    }

    #[cfg(test)]
    pub(super) fn hashes_computed(&self) -> u64 {
        self.0.passwords.computed()
    }

    /// The login of a cookie.
    pub fn who(&self, token: &Token) -> Option<Arc<Login>> {
        let now = unix_now();
        let agents = Arc::clone(&self.0.agents.borrow());
        let login = self.0.logins.find(token.hash(), &agents, now)?;
        login.touch(now);
        Some(login)
    }

    /// All its sockets close.
    pub async fn logout(&self, token: &Token) {
        let hash = token.hash();
        let agent = {
            let agents = Arc::clone(&self.0.agents.borrow());
            let login = self.0.logins.find(hash, &agents, unix_now());
            login.and_then(|login| {
                Some(
                    agents
                        .of_login(login.agent, login.generation)?
                        .name
                        .to_string(),
                )
            })
        };
        self.0.logins.end(&hash);
        self.forget(vec![hash]).await;
        if let Some(name) = agent {
            let entry = entry(Actor::Agent(name), "logout", Outcome::Allowed, "");
            // Out he is, written down or not.
            let _ = self.audit(entry).await;
        }
    }

    /// Who that is, as long as the login is good.
    pub fn agent(&self, login: &Login) -> Option<Arc<AgentRecord>> {
        if login.is_gone() {
            return None;
        }
        let agents = self.0.agents.borrow();
        agents.of_login(login.agent, login.generation).cloned()
    }

    /// What the agent may do in a group, now.
    pub fn rights(&self, login: &Login, group: GroupId) -> Rights {
        if login.is_gone() {
            return Rights::NONE;
        }
        let agents = self.0.agents.borrow();
        agents.rights(login.agent, login.generation, group)
    }

    /// Before a session key is looked for.
    pub fn guess_key(&self, agent: &AgentRecord, address: IpAddr) -> Result<(), RateLimited> {
        let name = agent.name.as_str();
        self.0.limits.attempt(Guess::SessionKey, name, address)
    }

    /// There was a session of that key.
    pub fn key_was_right(&self, agent: &AgentRecord, address: IpAddr) {
        let name = agent.name.as_str();
        self.0.limits.was_right(Guess::SessionKey, name, address);
    }

    /// An agent is not let in.
    pub async fn audit_refused_join(
        &self,
        agent: &AgentRecord,
        code: &str,
    ) -> Result<(), StoreError> {
        let noted = self.0.refusals.note(agent.id, code, Instant::now());
        match noted {
            Some(reason) => self.audit_agent(agent, "join", None, Some(&reason)).await,
            None => Ok(()),
        }
    }

    /// What an agent did in a session, or was not let do.
    pub async fn audit_agent(
        &self,
        agent: &AgentRecord,
        action: &'static str,
        of: Option<(SessionId, GroupId)>,
        refused: Option<&str>,
    ) -> Result<(), StoreError> {
        let outcome = match refused {
            Some(_) => Outcome::Refused,
            None => Outcome::Allowed,
        };
        let actor = Actor::Agent(agent.name.to_string());
        let line = entry(actor, action, outcome, refused.unwrap_or_default());
        let (session, group) = of.unzip();
        self.audit(AuditEntry {
            session,
            group,
            ..line
        })
        .await
    }

    async fn audit(&self, entry: AuditEntry) -> Result<(), StoreError> {
        let audited = self.0.store.audit_agent(entry).await;
        if let Err(error) = &audited {
            tracing::error!(%error, "the audit log cannot be written");
        }
        audited
    }

    /// The name that was typed may be a password in the wrong field: it is in no log unless it is somebody's.
    async fn refuse_login(&self, name: &str) -> LoginRefusal {
        let known = self.0.agents.borrow().named(name);
        let name = known.map_or_else(|| "?".to_owned(), |agent| agent.name.to_string());
        let actor = Actor::Agent(name);
        match self
            .audit(entry(actor, "login", Outcome::Refused, "credentials"))
            .await
        {
            Ok(()) => LoginRefusal::Credentials,
            Err(error) => LoginRefusal::Unavailable(error),
        }
    }

    async fn admit(&self, agent: &AgentRecord) -> Result<Token, LoginRefusal> {
        let unavailable = LoginRefusal::Unavailable;
        let token = Token::random().map_err(|_| unavailable(StoreError::Stopped))?;
        let now = unix_now();
        let record = LoginRecord {
            token_hash: token.hash(),
            agent: agent.id,
            generation: agent.generation,
            created: now,
            seen: now,
        };
        let actor = Actor::Agent(agent.name.to_string());
        self.audit(entry(actor, "login", Outcome::Allowed, ""))
            .await
            .map_err(unavailable)?;
        let ended = self.0.logins.add(&record);
        self.forget(ended).await;
        let saved = self.0.store.save_login(record).await;
        saved.map_err(unavailable)?;
        Ok(token)
    }

    async fn take_up(&self, known: Option<i64>) -> Result<i64, StoreError> {
        let version = self.0.store.data_version().await?;
        if known != Some(version) {
            let agents = Arc::new(Agents::new(self.0.store.load_agents().await?));
            self.0.agents.send_if_modified(|held| {
                let is_new = *held != agents;
                *held = agents;
                is_new
            });
        }
        Ok(version)
    }

    async fn sweep(&self) {
        let agents = Arc::clone(&self.0.agents.borrow());
        let (dead, unsaved) = self.0.logins.sweep(&agents, unix_now());
        self.forget(dead).await;
        for record in unsaved {
            // The next sign of life is written down again.
            let _ = self.0.store.save_login(record).await;
        }
    }

    /// In memory they are gone already, and what is on disk grows too old by itself.
    async fn forget(&self, token_hashes: Vec<[u8; 32]>) {
        if token_hashes.is_empty() {
            return;
        }
        if let Err(error) = self.0.store.end_logins(token_hashes).await {
            tracing::error!(%error, "logins that have ended cannot be removed");
        }
    }
}

fn entry(actor: Actor, action: &'static str, outcome: Outcome, reason: &str) -> AuditEntry {
    AuditEntry {
        at: unix_now(),
        actor,
        action,
        group: None,
        session: None,
        outcome,
        reason: reason.to_owned(),
    }
}

/// What is changed holds within a second, sockets included.
const POLL_INTERVAL: Duration = Duration::from_millis(250);
/// A disk may stumble; it may not stay away.
const FAILURES_MAX: u32 = 3;
