//! What `build.rs` made of `src/web`: names, hashes and bytes, compressed once when they were made.

/// The bundles, as they were written.
#[allow(
    dead_code,
    unreachable_pub,
    reason = "written for whoever serves them; each listener serves some"
)]
pub(super) mod bundles {
    include!(concat!(env!("OUT_DIR"), "/web/bundles/assets.rs"));
}

/// A file that browsers are given.
#[derive(Debug)]
pub(super) struct Asset {
    pub(super) name: &'static str,
    pub(super) media_type: &'static str,
    /// The same for each coding: weak, as what stands for the same page is.
    pub(super) etag: &'static str,
    pub(super) plain: &'static [u8],
    pub(super) br: &'static [u8],
    pub(super) gzip: &'static [u8],
}

pub(super) static LOADER: Asset = Asset {
    name: "CobrowseJS.ashx",
    media_type: "text/javascript; charset=utf-8",
    etag: bundles::LOADER_ETAG,
    plain: bundles::LOADER,
    br: bundles::LOADER_BR,
    gzip: bundles::LOADER_GZIP,
};

pub(super) static CORE: Asset = Asset {
    name: bundles::CORE_NAME,
    media_type: "text/javascript; charset=utf-8",
    etag: bundles::CORE_ETAG,
    plain: bundles::CORE,
    br: bundles::CORE_BR,
    gzip: bundles::CORE_GZIP,
};

pub(super) static LICENSES: Asset = Asset {
    name: "licenses.txt",
    media_type: "text/plain; charset=utf-8",
    etag: bundles::LICENSES_ETAG,
    plain: bundles::LICENSES,
    br: bundles::LICENSES_BR,
    gzip: bundles::LICENSES_GZIP,
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scripts_are_as_small_as_was_promised() {
        assert!(LOADER.gzip.len() <= 2 * 1024, "{}", LOADER.gzip.len());
        assert!(CORE.gzip.len() <= 35 * 1024, "{}", CORE.gzip.len());
        for asset in [&LOADER, &CORE] {
            assert!(asset.br.len() < asset.plain.len(), "{}", asset.name);
            assert!(asset.etag.starts_with("W/\"") && asset.etag.ends_with('"'));
        }
    }
}
