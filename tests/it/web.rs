//! What `build.rs` made of `src/web`.

use std::fs;
use std::path::{Path, PathBuf};

fn bundles() -> PathBuf {
    Path::new(env!("OUT_DIR")).join("web/bundles")
}

fn read(name: &str) -> String {
    fs::read_to_string(bundles().join(name)).unwrap()
}

#[test]
fn bundles_the_scripts_into_the_build_folder() {
    let assets = read("assets.rs");
    let core = assets
        .split('"')
        .find(|text| text.starts_with("core.") && text.ends_with(".js"))
        .unwrap();
    assert!(
        read("loader.js").contains(core),
        "the loader asks for {core}"
    );
    assert!(!read(core).is_empty());
}

#[test]
fn carries_the_notices_of_what_is_bundled() {
    let licenses = read("licenses.txt");
    assert!(licenses.contains("@rrweb/record 2.1.6") && licenses.contains("MIT"));
}

#[test]
fn writes_nothing_into_the_tree() {
    let tree = Path::new(env!("CARGO_MANIFEST_DIR"));
    assert!(!bundles().starts_with(tree.join("src")));
    let left = ["loader.js", "core.js", "assets.rs", "dist"];
    assert!(
        left.iter()
            .all(|name| !tree.join("src/web").join(name).exists())
    );
}
