use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use socket2::{Domain, SockAddr, Socket, Type};
use tokio::net::{UnixListener, UnixStream};

/// A Unix socket that is listened on. Its file goes when it does.
#[derive(Debug)]
pub(super) struct UnixDoor {
    listener: UnixListener,
    path: PathBuf,
    /// Where its file is now: at first, beside that path.
    place: PathBuf,
    /// Device and number of the file: another process may have put its own in this place.
    file: (u64, u64),
}

/// Connections that the kernel keeps ready while the server is at its limit.
const BACKLOG: i32 = 1024;

/// What the name of the file ends in until the door is opened.
const CLOSED: &str = ".new";

impl UnixDoor {
    /// A door that nobody finds until it is opened: what stands at its path serves on, should this
    /// process fail to start.
    ///
    /// A file that a process left behind is in nobody's way; one on which somebody listens is, unless
    /// this process takes over from it, and so is one that is no socket. Must be called within a
    /// runtime.
    pub(super) fn build(path: &Path, mode: u32, takes_over: bool) -> io::Result<Self> {
        look_for_others(path, takes_over)?;
        let mut place = path.as_os_str().to_owned();
        place.push(CLOSED);
        let place = PathBuf::from(place);
        if look_for_others(&place, takes_over)? {
            fs::remove_file(&place)?;
        }
        let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
        socket.bind(&SockAddr::unix(&place)?)?;
        // Nobody can connect before it listens, so nobody does who may not.
        fs::set_permissions(&place, Permissions::from_mode(mode))?;
        let file = fs::symlink_metadata(&place)?;
        socket.listen(BACKLOG)?;
        socket.set_nonblocking(true)?;
        Ok(Self {
            listener: UnixListener::from_std(socket.into())?,
            path: path.to_owned(),
            place,
            file: (file.dev(), file.ino()),
        })
    }

    /// In one step, in place of what was there: whoever connects meanwhile is taken by one or the other.
    pub(super) fn open(&mut self) -> io::Result<()> {
        fs::rename(&self.place, &self.path)?;
        self.place.clone_from(&self.path);
        Ok(())
    }

    /// Cancel safety: safe, no connection is lost.
    pub(super) async fn accept(&self) -> io::Result<UnixStream> {
        let (stream, _) = self.listener.accept().await?;
        Ok(stream)
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for UnixDoor {
    fn drop(&mut self) {
        let found = fs::symlink_metadata(&self.place);
        if found.is_ok_and(|found| (found.dev(), found.ino()) == self.file) {
            // One that stays is found to be left behind by the next process.
            let _ = fs::remove_file(&self.place);
        }
    }
}

/// Whether there is a socket that may be replaced.
fn look_for_others(path: &Path, takes_over: bool) -> io::Result<bool> {
    let Ok(found) = fs::symlink_metadata(path) else {
        return Ok(false);
    };
    if !found.file_type().is_socket() {
        let message = "there is a file of that name, and it is no socket";
        return Err(io::Error::new(io::ErrorKind::AlreadyExists, message));
    }
    if takes_over {
        return Ok(true);
    }
    match knock(path) {
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => Ok(true),
        Err(error) if error.kind() != io::ErrorKind::WouldBlock => Err(error),
        Ok(()) | Err(_) => {
            let message = "another program listens there";
            Err(io::Error::new(io::ErrorKind::AddrInUse, message))
        }
    }
}

/// Without waiting: whoever has too much to do listens, too.
fn knock(path: &Path) -> io::Result<()> {
    let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
    socket.set_nonblocking(true)?;
    socket.connect(&SockAddr::unix(path)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn directory() -> PathBuf {
        let name = format!("cobrowse-edge-door-{}", std::process::id());
        let directory = std::env::temp_dir().join(name);
        fs::create_dir_all(&directory).unwrap();
        directory
    }

    fn opened(path: &Path, mode: u32, takes_over: bool) -> io::Result<UnixDoor> {
        let mut door = UnixDoor::build(path, mode, takes_over)?;
        door.open()?;
        Ok(door)
    }

    #[tokio::test]
    async fn a_door_has_its_mode_and_goes_with_its_file() {
        let path = directory().join("mode");
        let door = opened(&path, 0o620, false).unwrap();
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o620);
        drop(door);
        assert!(!path.exists());
    }

    #[tokio::test]
    async fn only_what_was_left_behind_is_taken_away() {
        let path = directory().join("stale");
        drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
        assert!(path.exists(), "left behind");
        let door = opened(&path, 0o600, false).unwrap();
        let second = opened(&path, 0o600, false).unwrap_err();
        assert_eq!(second.kind(), io::ErrorKind::AddrInUse);
        drop(door);
        fs::write(&path, "precious").unwrap();
        let no_socket = opened(&path, 0o600, false).unwrap_err();
        assert_eq!(no_socket.kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read_to_string(&path).unwrap(), "precious");
        fs::remove_file(&path).unwrap();
    }

    #[tokio::test]
    async fn a_door_leaves_the_file_of_another() {
        let path = directory().join("other");
        let door = opened(&path, 0o600, false).unwrap();
        let _other = opened(&path, 0o600, true).unwrap();
        drop(door);
        assert!(path.exists());
    }
    #[tokio::test]
    async fn until_it_is_open_nobody_finds_it() {
        let path = directory().join("late");
        let first = opened(&path, 0o600, false).unwrap();
        let file = || fs::metadata(&path).unwrap().ino();
        let before = file();
        drop(UnixDoor::build(&path, 0o600, true).unwrap());
        assert_eq!(file(), before, "it failed to start");
        knock(&path).unwrap();
        let mut second = UnixDoor::build(&path, 0o600, true).unwrap();
        assert_eq!(file(), before);
        second.open().unwrap();
        assert_ne!(file(), before);
        drop(first);
        knock(&path).unwrap();
        drop(second);
        let left = fs::read_dir(directory()).unwrap().flatten();
        let late = left.filter(|file| file.file_name().to_string_lossy().starts_with("late"));
        assert_eq!(late.count(), 0);
    }
}
