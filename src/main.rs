//! The binary: everything is in the library.

use std::process::ExitCode;

use cobrowse_edge::cli::{self, Cli};

fn main() -> ExitCode {
    cli::log_panics();
    let exit = Cli::read(std::env::args_os()).map_or_else(|exit| exit, Cli::run);
    exit.into()
}
