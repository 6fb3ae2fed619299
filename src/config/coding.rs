use crate::document::{TableReader, count};
use crate::wire::CodingLevels;

/// `[coding]`: how much work is put into writing pages.
pub(super) fn read_levels(mut table: TableReader<'_>) -> CodingLevels {
    let default = CodingLevels::default();
    let levels = CodingLevels {
        gzip: table.take_or("gzip_level", default.gzip, count(1..=9)),
        br: table.take_or("br_level", default.br, count(0..=11)),
        zstd: table.take_or("zstd_level", default.zstd, count(1..=19)),
    };
    table.finish();
    levels
}
