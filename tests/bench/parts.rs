//! The pure parts by themselves. `cargo bench --bench parts` times them with criterion;
//! `parts --once NAME` runs one of them once, for callgrind to count its instructions.

use std::env;
use std::hint::black_box;
use std::io::Write as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::{Bytes, BytesMut};
use cobrowse_edge::groups::{GrantFields, GrantKeys, GroupId, GroupSet, PageGrant};
use cobrowse_edge::html::{PageKind, PageRewriter, Plan};
use cobrowse_edge::problem::SourceFile;
use cobrowse_edge::rules::{PageRule, RuleSet, SiteEnv};
use cobrowse_edge::wire::csp::{Adjuster, SelfOrigin};
use cobrowse_edge::wire::{CanonicalPath, Coding, CodingLevels, Decoder, Encoder, Scheme, admit};
use criterion::{Criterion, Throughput};

#[path = "src/pages.rs"]
#[expect(dead_code, unreachable_pub, reason = "shared with the instrument")]
mod pages;

mod exchanges;

use pages::{SELECTORS, Size};

/// A part with all that it needs at hand, and how many bytes it works through.
struct Ready {
    bytes: u64,
    run: Box<dyn Fn()>,
}

type Part = (String, Box<dyn Fn() -> Option<Ready>>);

fn part(name: &str, make: impl Fn() -> Option<Ready> + 'static) -> Part {
    (name.to_owned(), Box::new(make))
}

fn ready(bytes: usize, run: impl Fn() + 'static) -> Option<Ready> {
    Some(Ready {
        bytes: bytes as u64,
        run: Box::new(run),
    })
}

fn parts() -> Vec<Part> {
    let mut parts = locating();
    parts.extend(coding());
    parts.extend(reading());
    parts.extend(granting());
    parts.extend(exchanges::exchanges());
    parts
}

/// The page's rule of a set whose site says `what`.
fn rule(what: &str) -> Option<Arc<PageRule>> {
    let text = format!(
        "version = 1\n[[site]]\nhosts = [\"www.bank.example\"]\norigin = \"http://10.0.0.1\"\ngroup = 15687\n{what}\n"
    );
    let path = PathBuf::from("bench.toml");
    let source = Arc::new(SourceFile { path, text });
    let loaded = RuleSet::compile(vec![source], SiteEnv::Production).ok()?;
    Some(loaded.rules.site("www.bank.example")?.resolve("/page.html"))
}

fn plan(what: &str) -> Option<Arc<Plan>> {
    rule(what)?.plan.clone()
}

/// The locator with the laying in of what it finds, by number and kind of selectors; those that
/// match nothing leave the locator alone.
fn locating() -> Vec<Part> {
    let absent: Vec<_> = (0..20).map(|number| format!(".absent-{number}")).collect();
    let kinds = [
        ("locate tag in head", "placement = \"head\"".to_owned()),
        ("locate tag last", String::new()),
        (
            "locate 1 absent class",
            format!("masks = {:?}", &absent[..1]),
        ),
        ("locate 20 absent classes", format!("masks = {absent:?}")),
        ("locate 1 attribute", masks(&["[autocomplete^='cc-']"])),
        ("locate 1 id", masks(&["#ssn"])),
        ("locate 1 descendant", masks(&["form.declaration textarea"])),
        ("locate 5 masks", masks(&SELECTORS[..5])),
        ("locate 20 masks", masks(&SELECTORS)),
    ];
    let rewriting = |(name, what): (&str, String)| {
        part(name, move || {
            let plan = plan(&what)?;
            let page = Bytes::from(pages::generate(Size::K64, 5).html);
            ready(page.len(), move || rewrite(&plan, &page))
        })
    };
    kinds.map(rewriting).into()
}

fn masks(selectors: &[&str]) -> String {
    format!("masks = {selectors:?}")
}

/// In pieces of 16 KB, as a socket gives them.
fn rewrite(plan: &Arc<Plan>, page: &Bytes) {
    let mut rewriter = PageRewriter::new(Arc::clone(plan), None, PageKind::Document);
    let mut rest = page.clone();
    while !rest.is_empty() {
        let piece = rest.split_to(rest.len().min(16 * 1024));
        black_box(rewriter.push(piece));
    }
    black_box(rewriter.finish());
}

fn coding() -> Vec<Part> {
    let codings = [Coding::Gzip, Coding::Br, Coding::Zstd];
    let both = |coding: Coding| {
        let name = coding.as_str();
        let encoding = part(&format!("encode {name}"), move || {
            let page = pages::generate(Size::K64, 5).html;
            ready(page.len(), move || {
                black_box(packed(coding, &page));
            })
        });
        let decoding = part(&format!("decode {name}"), move || {
            let page = pages::generate(Size::K64, 5).html;
            let packed = packed(coding, &page)?;
            ready(page.len(), move || unpack(coding, &packed))
        });
        [encoding, decoding]
    };
    codings.into_iter().flat_map(both).collect()
}

fn packed(coding: Coding, page: &[u8]) -> Option<Bytes> {
    let mut out = BytesMut::new();
    let mut encoder = Encoder::new(coding, CodingLevels::default())?;
    encoder.encode(page, &mut out).ok()?;
    encoder.finish(&mut out).ok()?;
    Some(out.freeze())
}

fn unpack(coding: Coding, packed: &Bytes) {
    let Some(mut decoder) = Decoder::new(coding) else {
        return;
    };
    let mut input = packed.clone();
    while decoder
        .decode(&mut input)
        .is_ok_and(|piece| !black_box(piece).is_empty())
    {}
}

fn reading() -> Vec<Part> {
    let path = "/Mortgage/%7Eapply/./forms/../new%20page.html";
    vec![
        part("gate", || {
            let (parts, ()) = http::Request::get("/mortgage/apply.asp?step=2&lang=en")
                .header("host", "www.bank.example")
                .header("user-agent", "Mozilla/5.0 (X11; Linux x86_64)")
                .header("accept", "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8")
                .header("accept-encoding", "gzip, deflate, br, zstd")
                .header("accept-language", "en-GB,en;q=0.9")
                .header("cookie", "session=5f0c3d1e9a; lang=en")
                .header("sec-fetch-dest", "document")
                .body(())
                .ok()?
                .into_parts();
            ready(0, move || {
                let _ = black_box(admit(black_box(&parts), Scheme::Https));
            })
        }),
        part("path", move || {
            ready(0, move || {
                let _ = black_box(CanonicalPath::parse(black_box(path)));
            })
        }),
        part("resolve", || {
            let rules: String = (0..1_000)
                .map(|number| {
                    format!(
                        "[[site.rule]]\npath = \"/area{number}/**\"\nmasks = [\"#m{number}\"]\n"
                    )
                })
                .collect();
            let text = format!(
                "version = 1\n[[site]]\nhosts = [\"www.bank.example\"]\norigin = \"http://10.0.0.1\"\ngroup = 1\n{rules}"
            );
            let source = Arc::new(SourceFile {
                path: PathBuf::from("bench.toml"),
                text,
            });
            let loaded = RuleSet::compile(vec![source], SiteEnv::Production).ok()?;
            ready(0, move || {
                let site = loaded.rules.site(black_box("www.bank.example"));
                black_box(site.map(|site| site.resolve(black_box("/area500/apply.asp"))));
            })
        }),
        part("csp", || {
            let rule = rule("")?;
            ready(0, move || {
                black_box(grow(&rule));
            })
        }),
    ]
}

const POLICY: &[u8] = b"default-src 'self'; script-src 'self' https://cdn.bank.example 'nonce-4AEemGb0xJptoIGFP3Nd'; \
    style-src 'self' 'unsafe-inline'; img-src * data:; connect-src 'self' https://api.bank.example; frame-ancestors 'none'";

fn grow(rule: &PageRule) -> Option<Vec<u8>> {
    let page = SelfOrigin::new(Scheme::Https, "www.bank.example".parse().ok()?);
    let fresh = || Some("ZnJlc2ggYW5kIHJhbmRvbQ==".to_owned());
    let adjuster = Adjuster::new((&[black_box(POLICY)], &[]), &rule.csp, page, fresh).ok()?;
    adjuster.line(POLICY)
}

fn granting() -> Vec<Part> {
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_709_539_200);
    vec![
        part("grant sign", || {
            let (keys, grant) = (keys()?, grant()?);
            ready(0, move || {
                black_box(keys.sign(black_box(&grant)));
            })
        }),
        part("grant verify", move || {
            let keys = keys()?;
            let text = keys.sign(&grant()?);
            ready(0, move || {
                let _ = black_box(keys.open(black_box(&text), now));
            })
        }),
    ]
}

fn keys() -> Option<GrantKeys> {
    GrantKeys::parse("q2wXe7rTy9uIo1pAs3dFg5hJk8lZx4cV6bNm0QwErTy").ok()
}

fn grant() -> Option<PageGrant> {
    let more = [15688, 15690].into_iter().filter_map(GroupId::new);
    PageGrant::new(GrantFields {
        host: "www.bank.example".into(),
        rule: "mortgage desk".into(),
        env: SiteEnv::Production,
        groups: GroupSet::new(GroupId::new(15687)?, more),
        mask_revision: 0x5eed,
        expires: 1_709_582_400,
    })
    .ok()
}

/// What callgrind counts, by this name.
#[inline(never)]
fn counted_part(ready: &Ready) {
    (ready.run)();
}

/// Twice: caches and lazily made things are filled by the first run, which is not counted.
fn once(name: &str) -> bool {
    let found = parts().into_iter().find(|(known, _)| known == name);
    let Some(ready) = found.and_then(|(_, make)| make()) else {
        return false;
    };
    (ready.run)();
    counted_part(&ready);
    true
}

fn time_all() {
    let mut criterion = Criterion::default().configure_from_args();
    for (name, make) in parts() {
        let Some(ready) = make() else {
            continue;
        };
        let mut group = criterion.benchmark_group("parts");
        if ready.bytes > 0 {
            group.throughput(Throughput::Bytes(ready.bytes));
        }
        group.bench_function(name, |bencher| bencher.iter(&ready.run));
        group.finish();
    }
    criterion.final_summary();
}

fn main() -> std::process::ExitCode {
    let arguments: Vec<_> = env::args().skip(1).collect();
    let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
    let well = match arguments[..] {
        ["--once", name] => once(name),
        ["--names"] => parts()
            .iter()
            .all(|(name, _)| writeln!(std::io::stdout(), "{name}").is_ok()),
        _ => {
            time_all();
            true
        }
    };
    match well {
        true => std::process::ExitCode::SUCCESS,
        false => std::process::ExitCode::FAILURE,
    }
}
