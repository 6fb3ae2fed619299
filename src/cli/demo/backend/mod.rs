//! A stand-in for a remote cobrowse backend: as much of one as shows that the edge carries its
//! traffic. It serves a loader script that draws nothing and tells what its tag says, and a
//! socket that echoes. No session can be held with it.

mod http;
mod socket;

pub(super) use self::http::respond;
pub(super) use socket::echo;
