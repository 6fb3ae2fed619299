use std::path::PathBuf;
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

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(self.0.parent().unwrap());
    }
}
