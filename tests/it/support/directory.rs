use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

/// A directory of a test's own, below one that nobody else uses either; removed in the end.
pub(crate) struct Directory(pub(crate) PathBuf);

impl Directory {
    pub(crate) fn new() -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("edge-it-{}-{count}", std::process::id());
        let path = std::env::temp_dir().join(name).join("files");
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub(crate) fn with(name: &str, text: &str) -> Self {
        let directory = Self::new();
        directory.write(name, text);
        directory
    }

    pub(crate) fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.join(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    /// Takes the directory away, with all that is in it.
    pub(crate) fn vanish(&self) {
        std::fs::remove_dir_all(&self.0).unwrap();
    }

    pub(crate) fn return_with(&self, name: &str, text: &str) {
        std::fs::create_dir(&self.0).unwrap();
        self.write(name, text);
    }
}

/// Where `tests/leaks.mjs` looks for what must not be there; unset, nothing is kept.
fn kept() -> Option<PathBuf> {
    std::env::var_os("COBROWSE_TEST_KEEP").map(PathBuf::from)
}

impl Directory {
    /// A log, beside the files.
    pub(crate) fn log(&self) -> File {
        let path = self.0.parent().unwrap().join("access.log");
        let mut options = OpenOptions::new();
        options.append(true).create(true).open(path).unwrap()
    }

    /// Databases and logs outlive the test, if somebody wants to look at them.
    fn keep(&self, kept: &Path) -> std::io::Result<()> {
        let parent = self.0.parent().unwrap();
        let name = parent.file_name().unwrap().to_string_lossy().into_owned();
        std::fs::create_dir_all(kept)?;
        for folder in [parent, &self.0] {
            for file in std::fs::read_dir(folder)? {
                let file = file?.path();
                let own = file.file_name().unwrap().to_string_lossy().into_owned();
                if own.starts_with("cobrowse.db") || own.ends_with(".log") {
                    std::fs::copy(&file, kept.join(format!("{name}-{own}")))?;
                }
            }
        }
        Ok(())
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        if let Some(kept) = kept() {
            // What was taken away by its owner is not there to be kept.
            let _ = self.keep(&kept);
        }
        let _ = std::fs::remove_dir_all(self.0.parent().unwrap());
    }
}
