//! Every bound of this room, with its reason. Beyond a bound a rule file is refused, never cut.

/// Rule files in one directory: a large estate has a file per site; a thousand is a wrong directory.
pub const MAX_FILES: usize = 1_000;

/// Bytes of one rule file: 10,000 rules with masks take about 2 MiB, and the text stays in memory
/// for explanations.
pub const MAX_FILE_BYTES: u64 = 16 * 1024 * 1024;

/// Bytes of all rule files together, for the same reason.
pub const MAX_TOTAL_BYTES: u64 = 64 * 1024 * 1024;

/// Rules over all files: matching does not depend on their number, memory and load time do.
pub const MAX_RULES: usize = 100_000;

/// Masks that can meet on one page. The engine tests each selector at each start tag, so this bounds
/// the work per page.
pub const MAX_MASKS_PER_PAGE: usize = 512;

/// Groups that can meet on one page: they are written into an attribute of every page.
pub const MAX_GROUPS_PER_PAGE: usize = 256;

/// Origins of one site: more would be a directory. (The upstream room knows its places by the bits
/// of one number.)
pub const MAX_ORIGINS: usize = 64;

/// Bytes of a path pattern: longer paths are refused before rules are asked.
pub const MAX_PATTERN_BYTES: usize = 2_048;

/// Characters of a rule's name: it is a metric label and a column of the access log.
pub const MAX_NAME_CHARS: usize = 80;

/// Patterns such as `*.asp` directly under one place of a site's paths. They are the one kind that is
/// tried one after another.
pub const MAX_PARTIALS_PER_NODE: usize = 1_000;

/// Steps of the search for rules that collide, per rank of a site: enough for 100,000 rules that are
/// told apart by their first segments. At about 100 bytes a step this bounds the memory of a load.
pub const MAX_OVERLAP_STEPS: usize = 1_000_000;

/// Collisions reported per site: who made more of them made one mistake.
pub const MAX_COLLISIONS_REPORTED: usize = 20;

/// What the cache of one site may hold: each page rule weighs its masks and [`PAGE_RULE_WEIGHT`]. At
/// about 64 bytes a unit this is 16 MiB. Beyond it, page rules are compiled for each request.
pub const MAX_CACHE_WEIGHT: usize = 262_144;

/// The weight of a page rule without masks: its tag and its bookkeeping.
pub const PAGE_RULE_WEIGHT: usize = 16;
