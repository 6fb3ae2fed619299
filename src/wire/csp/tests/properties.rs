use proptest::prelude::*;
use proptest::sample::select;

use super::policies::{NAMES, REQUESTS, WORDS, check};
use super::*;

fn directive() -> impl Strategy<Value = String> {
    let words = prop::collection::vec(select(WORDS), 0..5);
    let space = select(&[" ", "  ", "\t "][..]);
    (select(NAMES), words, space).prop_map(|(name, words, space)| {
        let all: Vec<_> = std::iter::once(name).chain(words).collect();
        all.join(space)
    })
}

fn policy() -> impl Strategy<Value = String> {
    let joint = select(&[";", "; ", " ;; "][..]);
    let end = select(&["", ";", " ; "][..]);
    let directives = prop::collection::vec(directive(), 0..6);
    (directives, joint, end).prop_map(|(directives, joint, end)| directives.join(joint) + end)
}

fn lines() -> impl Strategy<Value = Vec<String>> {
    let line = prop::collection::vec(policy(), 1..3).prop_map(|policies| policies.join(", "));
    prop::collection::vec(line, 0..3)
}

fn some_needs() -> impl Strategy<Value = Needs> {
    (0..3).prop_map(|choice| match choice {
        0 => elsewhere(),
        1 => hashed(),
        _ => own(),
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn allows_what_is_ours_and_nothing_else(before in lines(), needs in some_needs()) {
        check(&before, &needs, REQUESTS.iter());
    }

    #[test]
    fn any_text_grows_without_losing_a_byte_of_what_it_keeps(line in "\\PC{0,60}") {
        let adjuster = adjuster(&[], elsewhere(), Treatment::Patch).unwrap();
        let after = grown(&adjuster, &line);
        let after = after.replace("'none'", "");
        let mut kept = after.chars();
        let none_is_replaced = line.replace("'none'", "");
        for character in none_is_replaced.trim_end().chars() {
            prop_assert!(kept.any(|one| one == character), "{line:?} {after:?}");
        }
    }
}
