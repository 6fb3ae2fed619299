//! Bundles the browser's scripts for the feature `backend`, into OUT_DIR and never into the tree.

use std::env;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

const NODE_MISSING: &str = "the feature `backend` needs node 20 or newer and npm to bundle src/web: \
    install them, or build the edge alone with --no-default-features";

fn main() -> ExitCode {
    println!("cargo:rerun-if-changed=build.rs");
    if env::var_os("CARGO_FEATURE_BACKEND").is_none() {
        return ExitCode::SUCCESS;
    }
    match bundle() {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            println!("cargo:error={problem}");
            ExitCode::FAILURE
        }
    }
}

fn bundle() -> Result<(), String> {
    let sources = directory("CARGO_MANIFEST_DIR")?.join("src/web");
    let work = directory("OUT_DIR")?.join("web");
    for own in [
        "build.mjs",
        "package.json",
        "package-lock.json",
        "tsconfig.json",
    ] {
        watch(&sources.join(own));
    }
    install(&sources, &work)?;
    let inputs = run(Command::new("node")
        .arg(sources.join("build.mjs"))
        .arg(work.join("bundles"))
        .arg(work.join("node_modules")))?;
    for input in inputs.lines() {
        watch(Path::new(input));
    }
    Ok(())
}

/// `npm ci` from the lock file, unless that was done already. What npm has in its cache is not
/// fetched.
fn install(sources: &Path, work: &Path) -> Result<(), String> {
    let lock = read(&sources.join("package-lock.json"))?;
    let done = work.join("installed");
    if read(&done).is_ok_and(|installed| installed == lock) {
        return Ok(());
    }
    fs::create_dir_all(work).map_err(|problem| at(work, &problem))?;
    for name in ["package.json", "package-lock.json"] {
        let copied = fs::copy(sources.join(name), work.join(name));
        copied.map_err(|problem| at(&work.join(name), &problem))?;
    }
    run(Command::new("npm").current_dir(work).args([
        "ci",
        "--omit=dev",
        "--ignore-scripts",
        "--prefer-offline",
        "--no-audit",
        "--no-fund",
        "--loglevel=error",
    ]))?;
    fs::write(&done, lock).map_err(|problem| at(&done, &problem))
}

fn read(file: &Path) -> Result<Vec<u8>, String> {
    fs::read(file).map_err(|problem| at(file, &problem))
}

fn at(place: &Path, problem: &io::Error) -> String {
    format!("{}: {problem}", place.display())
}

/// What the command printed.
fn run(command: &mut Command) -> Result<String, String> {
    let output = command.output().map_err(|problem| match problem.kind() {
        io::ErrorKind::NotFound => NODE_MISSING.to_owned(),
        _ => problem.to_string(),
    })?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let program = command.get_program().to_string_lossy().into_owned();
    let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    eprintln!("{said}");
    Err(format!(
        "{program} could not bundle src/web; what it said is below"
    ))
}

fn directory(variable: &str) -> Result<PathBuf, String> {
    env::var_os(variable)
        .map(PathBuf::from)
        .ok_or_else(|| format!("cargo did not set {variable}"))
}

fn watch(file: &Path) {
    println!("cargo:rerun-if-changed={}", file.display());
}
