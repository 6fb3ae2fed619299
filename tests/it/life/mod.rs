//! What a visitor must not notice: reloads, and an edge that takes over from another. The edges are
//! processes of the binary, and visitors come all the while in every way there is.
//!
//! `make life` runs as many rounds as the edge is held to; by default there are a few of each.

mod reloads;
mod slow_readers;
mod takeovers;
mod visitors;

/// How many rounds there are: so many by default, all of them where `COBROWSE_TEST_LIFE=full`.
fn rounds(few: usize, all: usize) -> usize {
    if is_in_full() { all } else { few }
}

fn is_in_full() -> bool {
    std::env::var("COBROWSE_TEST_LIFE").is_ok_and(|wanted| wanted == "full")
}
