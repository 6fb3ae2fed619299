use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use ppp::{v1, v2};
use thiserror::Error;
use tokio::io::AsyncReadExt;
use tokio::net::UnixStream;
use tokio::time::timeout;

use super::socket::ClientStream;

/// Between whom a connection was, before a load balancer took it over and opened one of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ends {
    /// Who connected to the load balancer.
    pub(super) peer: SocketAddr,
    /// Where it was connected to.
    pub(super) local: SocketAddr,
}

/// Why a connection that must begin with a PROXY header is closed.
#[derive(Debug, Error)]
pub(super) enum Refusal {
    /// It was closed by the other side before the header was whole. Without any byte it was a look
    /// whether somebody listens, as load balancers take them.
    #[error("closed before its header was whole")]
    Closed { before_any_byte: bool },
    #[error("malformed: {0}")]
    Malformed(&'static str),
    #[error("its header took too long")]
    Timeout,
}

/// Version 1 has at most 107 bytes (2.1 of the specification).
const V1_BYTES_MAX: usize = 107;
const V1_PREFIX: &[u8] = b"PROXY ";
const V1_LINE_END: u8 = b'\n';
/// What each header of version 2 has: the opening, and four bytes that say what comes.
const V2_FIXED_BYTES: usize = 16;
/// The bytes behind the first sixteen of version 2: addresses (216 for Unix sockets), and what load
/// balancers add of their own, some hundred bytes; whole client certificates are not taken.
const V2_REST_BYTES_MAX: usize = 2048;
/// All that tells the versions apart, and no more than either has at least.
const OPENING_BYTES: usize = v2::PROTOCOL_PREFIX.len();

/// Takes the PROXY header off a connection, and not a byte of what comes behind it. `None`: the load
/// balancer speaks for itself (`LOCAL`, `UNKNOWN`), or of ends that have no address.
///
/// <https://www.haproxy.org/download/3.0/doc/proxy-protocol.txt>
pub(super) async fn read_header(
    stream: &mut ClientStream,
    limit: Duration,
) -> Result<Option<Ends>, Refusal> {
    let reading = async { parse(&read_raw(stream).await?) };
    timeout(limit, reading)
        .await
        .unwrap_or(Err(Refusal::Timeout))
}

async fn read_raw(stream: &mut ClientStream) -> Result<Vec<u8>, Refusal> {
    let mut header = vec![0; OPENING_BYTES];
    let first = stream.read(&mut header).await.unwrap_or(0);
    if first == 0 {
        let before_any_byte = true;
        return Err(Refusal::Closed { before_any_byte });
    }
    stream.read_exact(&mut header[first..]).await?;
    if header == v2::PROTOCOL_PREFIX {
        read_v2(stream, &mut header).await?;
    } else if header.starts_with(V1_PREFIX) {
        read_v1(stream, &mut header).await?;
    } else {
        return Err(Refusal::Malformed("no PROXY header"));
    }
    Ok(header)
}

async fn read_v2(stream: &mut ClientStream, header: &mut Vec<u8>) -> Result<(), Refusal> {
    header.resize(V2_FIXED_BYTES, 0);
    stream.read_exact(&mut header[OPENING_BYTES..]).await?;
    let rest = usize::from(u16::from_be_bytes([header[14], header[15]]));
    if rest > V2_REST_BYTES_MAX {
        return Err(Refusal::Malformed("too long"));
    }
    header.resize(V2_FIXED_BYTES + rest, 0);
    stream.read_exact(&mut header[V2_FIXED_BYTES..]).await?;
    Ok(())
}

/// The length is not said beforehand: looks at what has come, and takes of it what belongs to the
/// line.
async fn read_v1(stream: &mut ClientStream, header: &mut Vec<u8>) -> Result<(), Refusal> {
    let stream = match stream {
        ClientStream::Tcp(stream) => stream,
        ClientStream::Unix(stream) => return read_line(stream, header).await,
    };
    while header.last() != Some(&V1_LINE_END) {
        let mut seen = [0; V1_BYTES_MAX];
        let room = V1_BYTES_MAX - header.len();
        if room == 0 {
            return Err(Refusal::Malformed("too long"));
        }
        let seen = match stream.peek(&mut seen[..room]).await? {
            0 => return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into()),
            count => &seen[..count],
        };
        let end = seen.iter().position(|byte| *byte == V1_LINE_END);
        let taken = end.map_or(seen.len(), |end| end + 1);
        let begin = header.len();
        header.resize(begin + taken, 0);
        stream.read_exact(&mut header[begin..]).await?;
    }
    Ok(())
}

/// Byte by byte, where nothing can be looked at before it is taken.
async fn read_line(stream: &mut UnixStream, header: &mut Vec<u8>) -> Result<(), Refusal> {
    while header.last() != Some(&V1_LINE_END) {
        if header.len() == V1_BYTES_MAX {
            return Err(Refusal::Malformed("too long"));
        }
        header.push(stream.read_u8().await?);
    }
    Ok(())
}

/// Reads one whole header.
fn parse(header: &[u8]) -> Result<Option<Ends>, Refusal> {
    if header.starts_with(v2::PROTOCOL_PREFIX) {
        let header = v2::Header::try_from(header)
            .map_err(|_| Refusal::Malformed("not a header of version 2"))?;
        return parse_v2(&header);
    }
    let header = v1::Header::try_from(header)
        .map_err(|_| Refusal::Malformed("not a header of version 1"))?;
    Ok(match header.addresses {
        v1::Addresses::Unknown => None,
        v1::Addresses::Tcp4(ip) => Some(Ends {
            peer: (ip.source_address, ip.source_port).into(),
            local: (ip.destination_address, ip.destination_port).into(),
        }),
        v1::Addresses::Tcp6(ip) => Some(Ends {
            peer: (ip.source_address, ip.source_port).into(),
            local: (ip.destination_address, ip.destination_port).into(),
        }),
    })
}

fn parse_v2(header: &v2::Header<'_>) -> Result<Option<Ends>, Refusal> {
    match (header.command, header.protocol) {
        (v2::Command::Local, _) => return Ok(None),
        (v2::Command::Proxy, v2::Protocol::Datagram) => {
            return Err(Refusal::Malformed("not of a stream"));
        }
        (v2::Command::Proxy, v2::Protocol::Stream | v2::Protocol::Unspecified) => {}
    }
    Ok(match header.addresses {
        v2::Addresses::Unspecified | v2::Addresses::Unix(_) => None,
        v2::Addresses::IPv4(ip) => Some(Ends {
            peer: (ip.source_address, ip.source_port).into(),
            local: (ip.destination_address, ip.destination_port).into(),
        }),
        v2::Addresses::IPv6(ip) => Some(Ends {
            peer: (ip.source_address, ip.source_port).into(),
            local: (ip.destination_address, ip.destination_port).into(),
        }),
    })
}

impl Refusal {
    /// As metrics name it; `None`: it is nothing to count.
    pub(super) fn reason(&self) -> Option<&'static str> {
        match self {
            Self::Closed { before_any_byte } => (!before_any_byte).then_some("closed"),
            Self::Malformed(_) => Some("malformed"),
            Self::Timeout => Some("timeout"),
        }
    }
}

impl From<io::Error> for Refusal {
    fn from(_: io::Error) -> Self {
        let before_any_byte = false;
        Self::Closed { before_any_byte }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn v2(command_and_family: [u8; 2], rest: &[u8]) -> Vec<u8> {
        let length = u16::try_from(rest.len()).unwrap().to_be_bytes();
        [v2::PROTOCOL_PREFIX, &command_and_family, &length, rest].concat()
    }

    fn ends(peer: &str, local: &str) -> Option<Ends> {
        let (peer, local) = (peer.parse().unwrap(), local.parse().unwrap());
        Some(Ends { peer, local })
    }

    #[test]
    fn headers_tell_between_whom_a_connection_was() {
        let four = [203, 0, 113, 7, 192, 0, 2, 1, 0xc0, 0, 1, 0xbb];
        let mut six = [0; 36];
        (six[0], six[15], six[16], six[31]) = (0x20, 1, 0x20, 2);
        six[32..].copy_from_slice(&[0, 9, 1, 0xbb]);
        let with_more = [&four[..], &[4, 0, 2, 0, 0]].concat();
        for (header, told) in [
            (
                b"PROXY TCP4 203.0.113.7 192.0.2.1 49152 443\r\n".to_vec(),
                ends("203.0.113.7:49152", "192.0.2.1:443"),
            ),
            (
                b"PROXY TCP6 2001:db8::1 2001:db8::2 9 443\r\n".to_vec(),
                ends("[2001:db8::1]:9", "[2001:db8::2]:443"),
            ),
            (b"PROXY UNKNOWN\r\n".to_vec(), None),
            (b"PROXY UNKNOWN whatever it says\r\n".to_vec(), None),
            (
                v2([0x21, 0x11], &four),
                ends("203.0.113.7:49152", "192.0.2.1:443"),
            ),
            (
                v2([0x21, 0x11], &with_more),
                ends("203.0.113.7:49152", "192.0.2.1:443"),
            ),
            (v2([0x21, 0x21], &six), ends("[2000::1]:9", "[2000::2]:443")),
            // LOCAL: the load balancer looks whether somebody is there.
            (v2([0x20, 0], &[]), None),
            (v2([0x20, 0x11], &four), None),
            (v2([0x21, 0], &[]), None),
            (v2([0x21, 0x31], &[b'x'; 216]), None),
        ] {
            assert_eq!(parse(&header).unwrap(), told, "{header:?}");
        }
    }

    #[test]
    fn what_is_no_header_is_refused() {
        for header in [
            &b"PROXY TCP4 203.0.113.7 192.0.2.1 49152 443\n"[..],
            b"PROXY TCP4 203.0.113.7 192.0.2.1 49152\r\n",
            b"PROXY TCP4 203.0.113.7 192.0.2.1 49152 65536\r\n",
            b"PROXY TCP4 203.0.113.07 192.0.2.1 49152 443\r\n",
            b"PROXY TCP4  203.0.113.7 192.0.2.1 49152 443\r\n",
            b"PROXY TCP4 2001:db8::1 2001:db8::2 9 443\r\n",
            b"PROXY TCP6 203.0.113.7 192.0.2.1 49152 443\r\n",
            b"PROXY UDP4 203.0.113.7 192.0.2.1 49152 443\r\n",
            b"PROXY \r\n",
        ] {
            assert!(parse(header).is_err(), "{}", header.escape_ascii());
        }
        let four = [203, 0, 113, 7, 192, 0, 2, 1, 0xc0, 0, 1, 0xbb];
        for header in [
            v2([0x11, 0x11], &four),
            v2([0x22, 0x11], &four),
            v2([0x21, 0x12], &four),
            v2([0x21, 0x41], &four),
            v2([0x21, 0x13], &four),
            v2([0x21, 0x11], &four[..11]),
            v2([0x21, 0x21], &four),
        ] {
            assert!(parse(&header).is_err(), "{}", header.escape_ascii());
        }
    }
}
