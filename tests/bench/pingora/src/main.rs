//! `pingora-peer LISTEN ORIGIN pass|<masks> kept|pack|repack TAG SELECTORS`: Pingora with one thread,
//! lol_html over the whole document where there is something to write.

use std::io::Write;
use std::mem;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use flate2::Compression;
use flate2::write::{GzDecoder, GzEncoder};
use lol_html::html_content::ContentType;
use lol_html::send::{ElementContentHandlers, HtmlRewriter, Settings};
use lol_html::{OutputSink, element};
use pingora_core::Result;
use pingora_core::server::Server;
use pingora_core::server::configuration::ServerConf;
use pingora_core::upstreams::peer::HttpPeer;
use pingora_http::{RequestHeader, ResponseHeader};
use pingora_proxy::{ProxyHttp, Session};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

struct Peer {
    origin: String,
    /// `None`: pages pass.
    edits: Option<Edits>,
    unpack: bool,
    pack: bool,
}

struct Edits {
    tag: String,
    selectors: Vec<String>,
}

#[derive(Clone, Default)]
struct Buffer(Arc<Mutex<Vec<u8>>>);

impl Buffer {
    fn take(&self) -> Vec<u8> {
        mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl OutputSink for Buffer {
    fn handle_chunk(&mut self, chunk: &[u8]) {
        let mut buffer = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        buffer.extend_from_slice(chunk);
    }
}

/// A page on its way; the `Mutex` is what makes it `Sync`, which Pingora asks for.
struct Page {
    decoder: Option<GzDecoder<Vec<u8>>>,
    rewriter: Option<HtmlRewriter<'static, Buffer>>,
    rewritten: Buffer,
    encoder: Option<GzEncoder<Vec<u8>>>,
}

impl Page {
    fn new(peer: &Peer, edits: &Edits) -> Self {
        let rewritten = Buffer::default();
        let mut settings = Settings::new_send();
        let tag = edits.tag.clone();
        settings = settings.append_element_content_handler(element!(
            "head",
            move |head: &mut lol_html::send::Element<'_, '_>| {
                head.prepend(&tag, ContentType::Html);
                Ok(())
            }
        ));
        for selector in &edits.selectors {
            settings = settings.append_element_content_handler(mask(selector));
        }
        Self {
            decoder: peer.unpack.then(|| GzDecoder::new(Vec::new())),
            rewriter: Some(HtmlRewriter::new(settings, rewritten.clone())),
            rewritten,
            encoder: peer
                .pack
                .then(|| GzEncoder::new(Vec::new(), Compression::new(1))),
        }
    }

    fn push(&mut self, chunk: &[u8], ended: bool) -> std::io::Result<Vec<u8>> {
        let plain = match &mut self.decoder {
            None => chunk.to_vec(),
            Some(decoder) => {
                decoder.write_all(chunk)?;
                decoder.flush()?;
                mem::take(decoder.get_mut())
            }
        };
        if let Some(rewriter) = &mut self.rewriter {
            rewriter.write(&plain).map_err(std::io::Error::other)?;
        }
        if ended && let Some(rewriter) = self.rewriter.take() {
            rewriter.end().map_err(std::io::Error::other)?;
        }
        let rewritten = self.rewritten.take();
        let Some(mut encoder) = self.encoder.take() else {
            return Ok(rewritten);
        };
        encoder.write_all(&rewritten)?;
        if ended {
            return encoder.finish();
        }
        let packed = mem::take(encoder.get_mut());
        self.encoder = Some(encoder);
        Ok(packed)
    }
}

fn mask(
    selector: &str,
) -> (
    std::borrow::Cow<'static, lol_html::Selector>,
    ElementContentHandlers<'static>,
) {
    let selector: lol_html::Selector = selector.parse().unwrap_or_else(|error| {
        eprintln!("{selector}: {error}");
        std::process::exit(1)
    });
    let handlers = ElementContentHandlers::default().element(
        |element: &mut lol_html::send::Element<'_, '_>| {
            element.set_attribute("glance_masked", "true")?;
            Ok(())
        },
    );
    (std::borrow::Cow::Owned(selector), handlers)
}

#[async_trait]
impl ProxyHttp for Peer {
    type CTX = Option<Mutex<Page>>;

    fn new_ctx(&self) -> Self::CTX {
        None
    }

    async fn upstream_peer(&self, _: &mut Session, _: &mut Self::CTX) -> Result<Box<HttpPeer>> {
        Ok(Box::new(HttpPeer::new(&self.origin, false, String::new())))
    }

    async fn upstream_request_filter(
        &self,
        _: &mut Session,
        request: &mut RequestHeader,
        _: &mut Self::CTX,
    ) -> Result<()> {
        if self.edits.is_some() {
            let accepted = if self.unpack { "gzip" } else { "identity" };
            request.insert_header("Accept-Encoding", accepted)?;
        }
        Ok(())
    }

    async fn response_filter(
        &self,
        _: &mut Session,
        response: &mut ResponseHeader,
        page: &mut Self::CTX,
    ) -> Result<()> {
        if let Some(edits) = &self.edits {
            *page = Some(Mutex::new(Page::new(self, edits)));
            response.remove_header("Content-Length");
            response.insert_header("Transfer-Encoding", "chunked")?;
            if self.pack {
                response.insert_header("Content-Encoding", "gzip")?;
            }
        }
        Ok(())
    }

    fn response_body_filter(
        &self,
        _: &mut Session,
        body: &mut Option<Bytes>,
        ended: bool,
        page: &mut Self::CTX,
    ) -> Result<Option<Duration>> {
        if let Some(page) = page {
            let page = page.get_mut().unwrap_or_else(PoisonError::into_inner);
            let chunk = body.take().unwrap_or_default();
            let out = page.push(&chunk, ended).map_err(|error| {
                pingora_core::Error::because(
                    pingora_core::ErrorType::InternalError,
                    "the page",
                    error,
                )
            })?;
            *body = Some(out.into());
        }
        Ok(None)
    }
}

fn main() {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let [listen, origin, work, packing, tag, selectors] = &arguments[..] else {
        println!("pingora-peer 0.9.1 (the version of pingora-proxy)");
        return;
    };
    let selectors = selectors.lines().map(str::to_owned);
    let edits = work.parse().ok().map(|masks| Edits {
        tag: tag.clone(),
        selectors: selectors.take(masks).collect(),
    });
    let peer = Peer {
        origin: origin.clone(),
        unpack: edits.is_some() && packing == "repack",
        pack: edits.is_some() && packing != "kept",
        edits,
    };
    let settings = ServerConf {
        threads: 1,
        upstream_keepalive_pool_size: 256,
        grace_period_seconds: Some(0),
        graceful_shutdown_timeout_seconds: Some(0),
        ..ServerConf::default()
    };
    let mut server = Server::new_with_opt_and_conf(None, settings);
    server.bootstrap();
    let mut service = pingora_proxy::http_proxy_service(&server.configuration, peer);
    service.add_tcp(listen);
    server.add_service(service);
    server.run_forever();
}
