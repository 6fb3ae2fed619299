use std::sync::Arc;

use crate::backend::agents::join::{Choice, choose};
use crate::backend::session::{SessionFacts, Standing, VisitorData};
use crate::backend::store::SessionId;
use crate::groups::GroupId;

fn group(number: i64) -> GroupId {
    GroupId::new(number).unwrap()
}

fn facts(id: u64, number: i64) -> Arc<SessionFacts> {
    Arc::new(SessionFacts {
        id: SessionId::new(id),
        group: group(number),
        key: "40213".to_owned(),
        standing: Standing::Waiting,
        url: None,
        visitor: VisitorData::default(),
        started: 0,
        agents: Vec::new(),
        paused: None,
    })
}

/// Which session is had by an agent with rights in groups 1 and 2.
#[track_caller]
fn check(found: &[(u64, i64)], asked: Option<i64>, expected: &str) {
    let found = found.iter().map(|(id, number)| facts(*id, *number));
    let may_join = |facts: &SessionFacts| facts.group.as_u32() <= 2;
    let choice = match choose(found.collect(), asked.map(group), may_join) {
        Choice::None => "none".to_owned(),
        Choice::One(facts) => facts.id.to_string().trim_start_matches('0').to_owned(),
        Choice::Groups(groups) => format!("{groups:?}"),
    };
    assert_eq!(choice, expected);
}

#[test]
fn a_key_means_a_session_that_the_agent_may_join() {
    check(&[], None, "none");
    check(&[(7, 1)], None, "7");
    check(&[(7, 3)], None, "none");
    check(&[(7, 3)], Some(3), "none");
    check(&[(7, 1)], Some(2), "none");
    check(&[(7, 3), (8, 1)], None, "8");
    check(&[(9, 2), (8, 1)], None, "[GroupId(1), GroupId(2)]");
    check(&[(9, 2), (8, 1)], Some(1), "8");
    check(&[(9, 2), (8, 2), (7, 3)], None, "9");
}
