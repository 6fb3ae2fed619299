use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::{Bytes, BytesMut};
use encoding_rs::Encoding;
use http_body::{Body, Frame, SizeHint};

use crate::html::{PageKind, PagePolicies, PageReport, PageRewriter, Placement, Plan};
use crate::wire::{BoxError, CodecError, Coding, CodingLevels, Decoder, Encoder, Splicer};

/// A page on its way: the origin's body decoded, edited and encoded again.
///
/// It is pulled by the visitor's connection, so a visitor who stops reading stops the origin;
/// nothing is held but what the codecs and the parser need. Whenever the origin pauses, all that
/// can be sent is sent. An error of the origin, or a compressed body that ends early, ends this
/// body in an error too: the visitor sees that the page is cut off.
pub struct RewriteBody<B> {
    origin: B,
    /// `None` once the page has ended, well or not.
    pipe: Option<Pipe>,
    /// The origin was asked once more after it had nothing.
    has_asked_again: bool,
    on_end: Option<OnEnd>,
}

type OnEnd = Box<dyn FnOnce(PageEnd) + Send>;

/// How a page's body ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PageEnd {
    /// Every byte was read and sent.
    Finished(PageReport),
    /// The origin's body, or its coding, broke off.
    Broken,
    /// The visitor went away.
    Abandoned,
}

/// How a page's body is read and written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PageBody {
    /// The coding that the origin sent.
    pub from: Coding,
    /// The coding that the visitor gets.
    pub to: Coding,
    /// The charset that the head names.
    pub charset: Option<&'static Encoding>,
    /// Whether it is known to be a document.
    pub kind: PageKind,
}

impl<B> RewriteBody<B> {
    /// `on_end` is called exactly once, also when the body is dropped before its end.
    pub fn new(
        origin: B,
        plan: Arc<Plan>,
        page: PageBody,
        levels: CodingLevels,
        on_end: impl FnOnce(PageEnd) + Send + 'static,
    ) -> Self {
        let pipe = Pipe {
            input: Bytes::new(),
            packed: Bytes::new(),
            decoded: Bytes::new(),
            decoder: Decoder::new(page.from),
            may_splice: may_splice(&plan, page),
            splicer: None,
            rewriter: PageRewriter::new(plan, page.charset, page.kind),
            encoder: Encoder::new(page.to, levels),
            unflushed: false,
        };
        Self {
            origin,
            pipe: Some(pipe),
            has_asked_again: false,
            on_end: Some(Box::new(on_end)),
        }
    }

    /// With somebody who decides about the policies that the page carries; without, they stay.
    pub fn with_policies(mut self, policies: Box<dyn PagePolicies>) -> Self {
        self.pipe = self.pipe.take().map(|pipe| Pipe {
            rewriter: pipe.rewriter.with_policies(policies),
            ..pipe
        });
        self
    }

    fn end(&mut self, end: PageEnd) {
        self.pipe = None;
        if let Some(on_end) = self.on_end.take() {
            on_end(end);
        }
    }
}

impl<B> Drop for RewriteBody<B> {
    fn drop(&mut self) {
        self.end(PageEnd::Abandoned);
    }
}

impl<B> std::fmt::Debug for RewriteBody<B> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RewriteBody")
            .field("pipe", &self.pipe)
            .finish_non_exhaustive()
    }
}

impl<B> Body for RewriteBody<B>
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: Into<BoxError>,
{
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let polled = self.poll_bytes(context);
        polled.map(|next| next.map(|bytes| bytes.map(Frame::data)))
    }

    fn is_end_stream(&self) -> bool {
        self.pipe.is_none()
    }

    /// Exact once nothing more is inserted, as behind a tag in the head: what is to come is what
    /// the origin has announced.
    fn size_hint(&self) -> SizeHint {
        let rest = match &self.pipe {
            None => Some(0),
            Some(pipe) => pipe.rest(self.origin.size_hint().exact()),
        };
        rest.map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}

impl<B> RewriteBody<B>
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: Into<BoxError>,
{
    fn poll_bytes(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, BoxError>>> {
        loop {
            let Some(pipe) = &mut self.pipe else {
                return Poll::Ready(None);
            };
            match pipe.step() {
                Ok(None) => {}
                Ok(Some(bytes)) if bytes.is_empty() => continue,
                Ok(Some(bytes)) => return Poll::Ready(Some(Ok(bytes))),
                Err(error) => return self.fail(error.into()),
            }
            match Pin::new(&mut self.origin).poll_frame(context) {
                Poll::Pending => return self.flush_while_waiting(context),
                Poll::Ready(Some(Ok(frame))) => {
                    self.has_asked_again = false;
                    // Trailers speak of the body as the origin sent it, and are left out.
                    pipe.take(frame.into_data().unwrap_or_default());
                }
                Poll::Ready(Some(Err(error))) => return self.fail(error.into()),
                Poll::Ready(None) => return self.finish(),
            }
        }
    }

    /// The origin pauses: what the encoder keeps back goes out now. Whoever reads the origin's
    /// socket has his turn first: with bytes that lie there already, it is no pause.
    fn flush_while_waiting(
        &mut self,
        context: &Context<'_>,
    ) -> Poll<Option<Result<Bytes, BoxError>>> {
        let Some(pipe) = &mut self.pipe else {
            return Poll::Ready(None);
        };
        if pipe.unflushed && !self.has_asked_again {
            self.has_asked_again = true;
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        match pipe.flush() {
            Ok(bytes) if bytes.is_empty() => Poll::Pending,
            // The origin will wake the task; until then these bytes are all there is.
            Ok(bytes) => Poll::Ready(Some(Ok(bytes))),
            Err(error) => self.fail(error.into()),
        }
    }

    fn finish(&mut self) -> Poll<Option<Result<Bytes, BoxError>>> {
        let Some(pipe) = self.pipe.take() else {
            return Poll::Ready(None);
        };
        match pipe.finish() {
            Ok((bytes, report)) => {
                self.end(PageEnd::Finished(report));
                Poll::Ready((!bytes.is_empty()).then_some(Ok(bytes)))
            }
            Err(error) => self.fail(error.into()),
        }
    }

    fn fail(&mut self, error: BoxError) -> Poll<Option<Result<Bytes, BoxError>>> {
        self.end(PageEnd::Broken);
        Poll::Ready(Some(Err(error)))
    }
}

/// The page's bytes through decoder, rewriter and encoder; waits for nothing.
#[derive(Debug)]
struct Pipe {
    /// What came from the origin and was not yet read.
    input: Bytes,
    /// What of that the splicer was not given.
    packed: Bytes,
    /// What of that was decoded and not yet edited.
    decoded: Bytes,
    decoder: Option<Decoder>,
    rewriter: PageRewriter,
    /// Nothing has come yet, and a splicer may be tried.
    may_splice: bool,
    /// Stands in for the encoder, as long as it can.
    splicer: Option<Splicer>,
    encoder: Option<Encoder>,
    /// Whether the encoder was fed since its last flush.
    unflushed: bool,
}

impl Pipe {
    /// Moves one piece on; `None` when there is nothing left to move.
    fn step(&mut self) -> Result<Option<Bytes>, CodecError> {
        let plain = match &mut self.decoder {
            None => &mut self.input,
            Some(decoder) => {
                if self.decoded.is_empty() {
                    self.decoded = decoder.decode(&mut self.input)?;
                }
                &mut self.decoded
            }
        };
        if plain.is_empty() {
            return self.splice();
        }
        let piece = plain.split_to(plain.len().min(self.rewriter.piece_max()));
        if self.splicer.is_some() {
            let page = self.rewriter.push(piece.clone());
            return self.note(&piece, &page).map(Some);
        }
        let page = self.rewriter.push(piece);
        self.encode(page).map(Some)
    }

    fn take(&mut self, input: Bytes) {
        if std::mem::take(&mut self.may_splice) {
            self.splicer = Splicer::new(&input);
        }
        if self.splicer.is_some() {
            self.packed = input.clone();
        }
        self.input = input;
    }

    /// Tells the splicer what was read, and what became of it.
    fn note(&mut self, piece: &[u8], page: &[u8]) -> Result<Bytes, CodecError> {
        let Some(splicer) = &mut self.splicer else {
            return Ok(Bytes::new());
        };
        let may_go_on = splicer.note(piece, page);
        let is_known = may_go_on && self.rewriter.passes();
        if !may_go_on || is_known && !splicer.settle() {
            return self.pack_instead();
        }
        self.unflushed = splicer.is_looking();
        Ok(Bytes::new())
    }

    /// The page is packed anew after all.
    fn pack_instead(&mut self) -> Result<Bytes, CodecError> {
        let splicer = self.splicer.take();
        self.packed = Bytes::new();
        self.encode(splicer.map(Splicer::give_up).unwrap_or_default().into())
    }

    /// All that came was decoded and noted: the splicer may have it.
    fn splice(&mut self) -> Result<Option<Bytes>, CodecError> {
        let (Some(splicer), Some(decoder)) = (&mut self.splicer, &self.decoder) else {
            return Ok(None);
        };
        let packed = std::mem::take(&mut self.packed);
        if packed.is_empty() {
            return Ok(None);
        }
        let read = decoder.total_in().saturating_sub(splicer.taken());
        let read = usize::try_from(read).unwrap_or(usize::MAX);
        let sent = splicer.splice(&packed[..read.min(packed.len())])?;
        match splicer.has_looked_enough() {
            true => self.pack_instead().map(Some),
            false => Ok(Some(sent)),
        }
    }

    /// How much is to come, where so much is to come from the origin.
    fn rest(&self, from_origin: Option<u64>) -> Option<u64> {
        let is_plain = self.decoder.is_none() && self.encoder.is_none();
        let passes = is_plain && self.rewriter.passes();
        Some(from_origin.filter(|_| passes)? + self.input.len() as u64)
    }

    fn encode(&mut self, page: Bytes) -> Result<Bytes, CodecError> {
        let Some(encoder) = &mut self.encoder else {
            return Ok(page);
        };
        if page.is_empty() {
            return Ok(page);
        }
        self.unflushed = true;
        let mut out = BytesMut::with_capacity(page.len() / PACKED_SHARE);
        encoder.encode(&page, &mut out)?;
        Ok(out.freeze())
    }

    fn flush(&mut self) -> Result<Bytes, CodecError> {
        let mut out = BytesMut::new();
        match &mut self.splicer {
            Some(splicer) if !splicer.is_looking() => return Ok(splicer.flush()),
            Some(_) if self.unflushed => out.extend_from_slice(&self.pack_instead()?),
            _ => {}
        }
        if let Some(encoder) = self.encoder.as_mut().filter(|_| self.unflushed) {
            encoder.flush(&mut out)?;
        }
        self.unflushed = false;
        Ok(out.freeze())
    }

    fn finish(self) -> Result<(Bytes, PageReport), CodecError> {
        if let Some(decoder) = &self.decoder {
            decoder.finish()?;
        }
        let mut out = BytesMut::new();
        let (page, report) = self.rewriter.finish();
        let Some(mut encoder) = self.encoder else {
            return Ok((page, report));
        };
        match self.splicer {
            Some(splicer) if !splicer.is_looking() => {
                return Ok((Bytes::copy_from_slice(&splicer.finish()?), report));
            }
            Some(splicer) => encoder.encode(&splicer.give_up(), &mut out)?,
            None => {}
        }
        encoder.encode(&page, &mut out)?;
        encoder.finish(&mut out)?;
        Ok((out.freeze(), report))
    }
}

/// Whether a page's insertion may be laid into what the origin has packed: where there is one, near its beginning.
fn may_splice(plan: &Plan, page: PageBody) -> bool {
    let stays_gzip = page.from == Coding::Gzip && page.to == Coding::Gzip;
    stays_gzip && plan.placement() == Placement::Head && plan.masks().is_empty()
}

/// Pages are packed to a third or less.
const PACKED_SHARE: usize = 3;

#[cfg(test)]
mod tests;
