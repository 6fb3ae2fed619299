//! Where the end of a CDATA section depends on the page's charset.

use memchr::memmem;

/// Looks for `]]>` behind a byte that is not ASCII: in some charsets the first `]` is the second
/// half of a letter then, and in a CDATA section of svg or math what follows would be text still.
#[derive(Debug, Default)]
pub(super) struct DoubtfulEnds {
    /// The last bytes that were seen.
    tail: Vec<u8>,
}

const END: &[u8] = b"]]>";

impl DoubtfulEnds {
    /// The places in the next bytes of the page that such ends reach to, in order.
    pub(super) fn next_in(&mut self, bytes: &[u8]) -> Vec<usize> {
        let head = &bytes[..bytes.len().min(END.len())];
        let seam = [&self.tail, head].concat();
        let across = (self.tail.len() + 1..=seam.len())
            .filter(|end| is_doubtful(&seam[..*end]))
            .map(|end| end - self.tail.len());
        let within = memmem::find_iter(bytes, END)
            .map(|at| at + END.len())
            .filter(|end| *end > END.len() && is_doubtful(&bytes[..*end]));
        let ends = across.chain(within).collect();
        let last = &bytes[bytes.len().saturating_sub(END.len())..];
        self.tail.extend_from_slice(last);
        self.tail.drain(..self.tail.len().saturating_sub(END.len()));
        ends
    }
}

fn is_doubtful(bytes: &[u8]) -> bool {
    let in_front = bytes.strip_suffix(END).and_then(<[u8]>::last);
    in_front.is_some_and(|byte| !byte.is_ascii())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_found_in_whatever_pieces_it_comes() {
        let page = b"a]]>\xe9]]>\xe9]>\xe9]]]>b\x81]]>]]>\x81]]";
        let whole = DoubtfulEnds::default().next_in(page);
        assert_eq!(whole, [8, 21]);
        for size in 1..page.len() {
            let mut ends = DoubtfulEnds::default();
            let found: Vec<_> = page
                .chunks(size)
                .enumerate()
                .flat_map(|(index, chunk)| {
                    let ends = ends.next_in(chunk).into_iter();
                    ends.map(move |end| index * size + end)
                })
                .collect();
            assert_eq!(found, whole, "{size}");
        }
    }
}
