use crate::backend::access::{Action, allowed};
use crate::backend::store::Rights;

/// Every set of rights, by every action: list, join, view, snapshot, point, say, end.
#[test]
fn every_cell_of_rights_by_action() {
    use Action::{End, Join, List, Point, Say, Snapshot, View};
    let actions = [List, Join, View, Snapshot, Point, Say, End];
    for (view, point, end, expected) in [
        (false, false, false, "-------"),
        (true, false, false, "ljvs---"),
        (false, true, false, "lj--py-"),
        (false, false, true, "lj----e"),
        (true, true, false, "ljvspy-"),
        (true, false, true, "ljvs--e"),
        (false, true, true, "lj--pye"),
        (true, true, true, "ljvspye"),
    ] {
        let rights = Rights { view, point, end };
        let marks = actions.iter().zip("ljvspye".chars());
        let found: String = marks
            .map(|(action, mark)| if allowed(rights, *action) { mark } else { '-' })
            .collect();
        assert_eq!(found, expected, "{rights}");
    }
    assert!(Action::ALL.iter().all(|action| actions.contains(action)));
}
