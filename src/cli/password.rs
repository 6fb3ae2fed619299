use std::io::{self, BufRead, IsTerminal, Read};

/// Asks at the terminal, twice and without showing it; else reads the first line of standard input. Never an
/// argument, which everybody on the machine could see.
pub(super) fn read_password() -> Result<String, String> {
    if io::stdin().is_terminal() {
        return ask();
    }
    let mut line = String::new();
    let mut input = io::stdin().lock().take(LINE_BYTES_MAX);
    let read = input.read_line(&mut line);
    read.map_err(|error| format!("the password cannot be read: {error}"))?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}

fn ask() -> Result<String, String> {
    let prompt = |text| {
        rpassword::prompt_password(text)
            .map_err(|error| format!("the password cannot be read: {error}"))
    };
    let password = prompt("Password: ")?;
    match prompt("Again: ")? == password {
        true => Ok(password),
        false => Err("these were two different passwords\n  remedy: try again".to_owned()),
    }
}

const LINE_BYTES_MAX: u64 = 4096;
