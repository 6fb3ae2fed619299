/// Whether a line of `Integrity-Policy` keeps scripts without integrity from running (Subresource
/// Integrity 3.8: `blocked-destinations=(script)`).
pub fn requires_integrity(line: &[u8]) -> bool {
    let line = line.to_ascii_lowercase();
    let mut members = line.split(|byte| *byte == b')');
    members.any(|member| {
        let open = member.iter().position(|byte| *byte == b'(');
        let (name, list) = member.split_at(open.unwrap_or(member.len()));
        let mut words = list.split(|byte| b"( \t;".contains(byte));
        name.ends_with(b"blocked-destinations=") && words.any(|word| word == b"script")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_scripts_among_what_is_blocked() {
        for (line, required) in [
            ("blocked-destinations=(script)", true),
            (
                "sources=(inline), blocked-destinations=(style  script), endpoints=(a)",
                true,
            ),
            ("endpoints=(script),blocked-destinations=( script;x )", true),
            ("Blocked-Destinations=(Script)", true),
            ("blocked-destinations=(style)", false),
            ("blocked-destinations=(script-like)", false),
            ("endpoints=(script), blocked-destinations=()", false),
            ("blocked-destinations=script", false),
            ("", false),
        ] {
            assert_eq!(requires_integrity(line.as_bytes()), required, "{line}");
        }
    }
}
