use std::net::IpAddr;

/// Whether a public authority certifies this host by the challenges that an edge can answer: a name in
/// the public DNS, in lower case.
pub fn orderable(host: &str) -> bool {
    let labels = || host.split('.');
    host.len() <= 253
        && labels().count() > 1
        && labels().all(is_label)
        && host.parse::<IpAddr>().is_err()
        && !labels().next_back().is_some_and(is_local)
}

fn is_label(label: &str) -> bool {
    let is_fit = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=63).contains(&label.len())
        && label.bytes().all(is_fit)
        && !label.starts_with('-')
        && !label.ends_with('-')
}

/// Top-level names that are nobody's (RFC 6761, RFC 6762, RFC 9476), and addresses.
fn is_local(last: &str) -> bool {
    matches!(
        last,
        "alt" | "internal" | "invalid" | "local" | "localhost" | "onion" | "test"
    ) || last.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_the_public_dns() {
        for (host, expected) in [
            ("www.bank.example", true),
            ("bank.example", true),
            ("xn--bcher-kva.example", true),
            ("a-b.example", true),
            ("localhost", false),
            ("bank", false),
            ("bank.localhost", false),
            ("printer.local", false),
            ("192.0.2.1", false),
            ("2001:db8::1", false),
            ("*.bank.example", false),
            ("Bank.example", false),
            ("bank_1.example", false),
            ("-bank.example", false),
            ("bank-.example", false),
            (".bank.example", false),
            ("bank.example.", false),
            ("bank..example", false),
            ("../bank.example", false),
            ("", false),
        ] {
            assert_eq!(orderable(host), expected, "{host:?}");
        }
        assert!(orderable(&format!("{}.example", "a".repeat(63))));
        assert!(!orderable(&format!("{}.example", "a".repeat(64))));
        assert!(!orderable(&format!("{}example", "a.".repeat(124))));
    }
}
