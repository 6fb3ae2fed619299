//! HTTP grammar: everything that reads or writes heads and framing, as pure functions and types
//! over the `http` crate. Waits for nothing, knows no site and no rule.

// A request at the door.
mod authority;
mod deadline;
mod edge_request;
mod gate;
mod hold;
mod path;
mod raw_heads;
mod refusal;
mod scheme;
mod upgrade;
mod websocket_frames;
mod windows_path;

// A head on its way up or down.
mod cookies;
pub mod csp;
mod embedder;
mod entity_tag;
mod fetch_metadata;
mod forwarded;
mod hop;
mod locations;
mod markers;
mod origin_check;
mod page_tag;
mod preload;
mod referer;
mod set_cookie;
mod sharing;
mod subscriber;
mod validators;

// A body: what it is, how it is coded.
mod body;
mod codec;
mod coding;
mod media_type;
mod read_ahead;

#[cfg(test)]
pub(crate) mod test_body;
#[cfg(test)]
mod test_heads;

/// How many fields hyper takes in a head, unless it is told a number: told one, even this, it looks for room for
/// them on the heap with each head.
pub const HYPERS_HEADERS_MAX: usize = 100;

pub use authority::{Authority, AuthorityError, MAX_HOST_BYTES};
pub use body::{BoxError, EdgeBody, WithoutTrailers, empty_body, full_body};
pub use codec::{CodecError, CodingLevels, Decoder, Encoder, Splicer};
pub use coding::{AcceptEncoding, Coding, CodingRefusal};
pub use cookies::{confine_set_cookie, cookie_value, join_cookies, keep_cookies};
pub use deadline::Deadline;
pub use edge_request::EdgeRequest;
pub use embedder::EmbedderPolicy;
pub use fetch_metadata::is_set_off_elsewhere;
pub use forwarded::{Forwarding, TrustedPeers, Via};
pub use gate::{MAX_HEADER_BYTES, MAX_HEADER_LINES, MAX_METHOD_BYTES, MAX_QUERY_BYTES, admit};
pub use hold::{Gone, Held, Hold, Standing};
pub use hop::{dashed_if_odd, strip_confusable, strip_hop_by_hop};
pub use locations::Locations;
pub use markers::{MarkerError, Markers};
pub use media_type::MediaType;
pub use origin_check::{OriginRefusal, origin_allowed};
pub use path::{CanonicalPath, MAX_PATH_BYTES, PathRefusal};
pub use preload::{ScriptFetch, ScriptPreload};
pub use raw_heads::{RawFault, RawHeads};
pub use read_ahead::{ReadAhead, read_ahead};
pub use referer::{cut_referer, referer_origin, referer_page};
pub use refusal::{MalformedRequest, Refusal};
pub use scheme::Scheme;
pub use sharing::keep_from_shared_caches;
pub use subscriber::subscriber_network;
pub use upgrade::{ConnectProtocol, SwitchRefusal, Upgrade};
pub use validators::{
    Conditional, drop_body_facts, drop_range, is_conditional, restore_foreign, restore_if_match,
    restore_up, sole_page_tag, tag_down,
};
pub use websocket_frames::{GOING_AWAY, WebSocketFrames};
