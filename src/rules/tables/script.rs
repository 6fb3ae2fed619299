use crate::document::{At, Stated, TableReader, one_of, text};
use crate::rules::needs::StatedNeeds;
use crate::rules::script::{ScriptKind, ScriptUrl};

/// `[script]`, `[site.script]` or the script of an environment.
#[derive(Clone, Debug)]
pub(in crate::rules) struct ScriptTable {
    pub(in crate::rules) at: At,
    pub(in crate::rules) kind: Option<Stated<ScriptKind>>,
    pub(in crate::rules) url: Option<Stated<ScriptUrl>>,
    pub(in crate::rules) needs: StatedNeeds,
    /// Something is written that could not be read, so nothing can be said about what is missing.
    pub(in crate::rules) unclear: bool,
}

impl ScriptTable {
    pub(super) fn read(mut table: TableReader<'_>) -> Self {
        let kind = table.take("kind", one_of(ScriptKind::WORDS));
        let url = table.take("url", text(str::parse));
        let needs = table.take_table("needs", "the needs of a script");
        let read = Self {
            at: table.at().clone(),
            unclear: table.has("kind") != kind.is_some() || table.has("url") != url.is_some(),
            kind,
            url,
            needs: needs.map(StatedNeeds::read).unwrap_or_default(),
        };
        table.finish();
        read
    }
}
