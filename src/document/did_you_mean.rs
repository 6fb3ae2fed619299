/// The one of `known` that a person who wrote `given` most likely meant.
///
/// Near enough is: up to a third of the letters differ (one letter in short words), where two
/// letters that changed places count as one.
pub fn did_you_mean<'a>(given: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let plain = given.to_lowercase().replace('-', "_");
    // What is an attribute in HTML is often written as it stands there.
    let plain = plain.strip_prefix("data_").unwrap_or(&plain);
    let nearest = known
        .into_iter()
        .map(|candidate| (edit_distance(plain, candidate), candidate))
        .min_by_key(|(distance, _)| *distance);
    let allowed = (given.chars().count() / 3).max(1);
    nearest
        .filter(|(distance, _)| *distance <= allowed)
        .map(|(_, candidate)| candidate)
}

/// Optimal string alignment: insertions, deletions, substitutions, neighbours swapped.
fn edit_distance(left: &str, right: &str) -> usize {
    let (left, right): (Vec<char>, Vec<char>) = (left.chars().collect(), right.chars().collect());
    let mut before_last = vec![0; right.len() + 1];
    let mut last: Vec<usize> = (0..=right.len()).collect();
    for (i, from) in left.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, to) in right.iter().enumerate() {
            let substituted = last[j] + usize::from(from != to);
            let mut cost = substituted.min(last[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && *from == right[j - 1] && left[i - 1] == *to {
                cost = cost.min(before_last[j - 1] + 1);
            }
            row.push(cost);
        }
        before_last = std::mem::replace(&mut last, row);
    }
    last.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_slips_and_leaves_strangers_alone() {
        let known = ["group", "additional_groups", "masks", "path", "termsurl"];
        for (given, meant) in [
            ("grop", Some("group")),
            ("gruop", Some("group")),
            ("Masks", Some("masks")),
            ("mask", Some("masks")),
            ("additional-groups", Some("additional_groups")),
            ("additonal_group", Some("additional_groups")),
            ("terms_url", Some("termsurl")),
            ("data-termsurl", Some("termsurl")),
            ("colour", None),
            ("x", None),
        ] {
            assert_eq!(did_you_mean(given, known), meant, "{given}");
        }
    }
}
