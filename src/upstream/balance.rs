//! Which of several origins is asked. Pure: health, load and chance are given.

/// How the requests of a site are spread over its origins.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub enum Balance {
    /// One after the other.
    RoundRobin,
    /// Of two that are picked by chance, the one with fewer requests in flight.
    #[default]
    LeastRequests,
    /// Always the same for the same visitor, as long as it is up. No other visitor's origin changes
    /// when one comes or goes.
    Hash(HashOn),
}

/// By what a visitor is known.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum HashOn {
    Address,
    /// The value of this cookie; a visitor without it is known by the address.
    Cookie(Box<str>),
}

/// An origin that may be asked.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Candidate {
    /// Its place among the site's origins.
    pub(super) index: usize,
    /// What its name hashes to.
    pub(super) id: u64,
    pub(super) in_flight: u32,
    /// Less than 1 while it starts.
    pub(super) weight: f32,
}

/// What one choice is made by.
#[derive(Clone, Copy, Debug)]
pub(super) struct Dice {
    /// How many choices were made before.
    pub(super) turn: usize,
    /// Anything.
    pub(super) chance: u64,
    /// The same for the same visitor.
    pub(super) key: u64,
}

impl Balance {
    /// Which of the candidates; `None`: there are none.
    pub(super) fn choose(&self, candidates: &[Candidate], dice: Dice) -> Option<usize> {
        let chosen = match self {
            Self::Hash(_) => candidates.iter().max_by_key(|one| mix(one.id ^ dice.key)),
            Self::RoundRobin => in_turn(&starting_ones_thinned(candidates, dice), dice),
            Self::LeastRequests => better_of_two(&starting_ones_thinned(candidates, dice), dice),
        };
        chosen.map(|one| one.index)
    }
}

/// Without those that start and are passed over this time; they are what is left when all are.
fn starting_ones_thinned(candidates: &[Candidate], dice: Dice) -> Vec<&Candidate> {
    let is_taken =
        |one: &&Candidate| one.weight >= 1.0 || unit(mix(dice.chance ^ one.id)) < one.weight;
    let taken: Vec<_> = candidates.iter().filter(is_taken).collect();
    match taken.is_empty() {
        true => candidates.iter().collect(),
        false => taken,
    }
}

fn in_turn<'a>(candidates: &[&'a Candidate], dice: Dice) -> Option<&'a Candidate> {
    let at = dice.turn.checked_rem(candidates.len())?;
    candidates.get(at).copied()
}

fn better_of_two<'a>(candidates: &[&'a Candidate], dice: Dice) -> Option<&'a Candidate> {
    let count = candidates.len() as u64;
    let one = dice.chance.checked_rem(count)?;
    let step = 1 + mix(dice.chance).checked_rem(count - 1).unwrap_or(0);
    let [one, other] = [one, (one + step) % count].map(|at| candidates.get(at as usize));
    match (one, other) {
        (Some(one), Some(other)) if other.in_flight < one.in_flight => Some(*other),
        (one, _) => one.copied(),
    }
}

/// From 0 to 1, without 1.
fn unit(chance: u64) -> f32 {
    (chance >> 40) as f32 / (1u64 << 24) as f32
}

/// Spreads bits (splitmix64): neighbours become strangers.
pub(super) fn mix(value: u64) -> u64 {
    let value = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origins(loads: &[(u32, f32)]) -> Vec<Candidate> {
        let with_number = loads.iter().enumerate();
        let candidates = with_number.map(|(index, (in_flight, weight))| Candidate {
            index,
            id: mix(index as u64 + 100),
            in_flight: *in_flight,
            weight: *weight,
        });
        candidates.collect()
    }

    /// How often each is chosen, in a thousand visitors.
    fn shares(balance: &Balance, candidates: &[Candidate]) -> Vec<usize> {
        let mut shares = vec![0; 4];
        for turn in 0..1_000 {
            let chance = mix(turn as u64);
            let dice = Dice {
                turn,
                chance,
                key: mix(chance),
            };
            shares[balance.choose(candidates, dice).unwrap()] += 1;
        }
        shares
    }

    #[test]
    fn in_turn_each_gets_the_same() {
        let idle = origins(&[(9, 1.0), (0, 1.0), (0, 1.0), (0, 1.0)]);
        assert_eq!(shares(&Balance::RoundRobin, &idle), [250; 4]);
    }

    #[test]
    fn the_one_with_more_to_do_gets_less() {
        let loaded = origins(&[(9, 1.0), (1, 1.0), (1, 1.0), (0, 1.0)]);
        let shares = shares(&Balance::LeastRequests, &loaded);
        // Of two that are picked it is never the better one; the idle one always is.
        assert_eq!(shares[0], 0);
        assert!((440..560).contains(&shares[3]), "{shares:?}");
    }

    #[test]
    fn one_that_starts_gets_its_share() {
        let starting = origins(&[(0, 0.1), (0, 1.0)]);
        for balance in [Balance::RoundRobin, Balance::LeastRequests] {
            let shares = shares(&balance, &starting);
            assert!((25..80).contains(&shares[0]), "{balance:?} {shares:?}");
        }
        let all = origins(&[(0, 0.1), (0, 0.1)]);
        assert!(shares(&Balance::RoundRobin, &all)[0] > 400);
    }

    #[test]
    fn a_visitor_keeps_the_origin_when_another_goes() {
        let hash = Balance::Hash(HashOn::Address);
        let all = origins(&[(0, 1.0); 4]);
        let fewer: Vec<_> = all.iter().copied().filter(|one| one.index != 2).collect();
        let mut moved = [0; 4];
        for key in (0..1_000).map(mix) {
            let dice = |turn| Dice {
                turn,
                chance: mix(turn as u64),
                key,
            };
            let before = hash.choose(&all, dice(1)).unwrap();
            assert_eq!(hash.choose(&all, dice(2)), Some(before));
            let after = hash.choose(&fewer, dice(3)).unwrap();
            assert!(after == before || before == 2, "{before} -> {after}");
            moved[after] += usize::from(before == 2);
        }
        assert!(
            moved.iter().filter(|count| **count > 40).count() == 3,
            "{moved:?}"
        );
        assert!(shares(&hash, &all).iter().all(|share| *share > 180));
    }

    #[test]
    fn one_is_chosen_and_none_is_not() {
        let dice = Dice {
            turn: 7,
            chance: 7,
            key: 7,
        };
        for balance in [
            Balance::RoundRobin,
            Balance::LeastRequests,
            Balance::Hash(HashOn::Address),
        ] {
            assert_eq!(balance.choose(&origins(&[(3, 1.0)]), dice), Some(0));
            assert_eq!(balance.choose(&[], dice), None);
        }
    }
}
