use crate::document::{Reports, Stated};
use crate::rules::needs::StatedNeeds;
use crate::rules::script::{Script, ScriptKind, ScriptUrl};
use crate::rules::tables::ScriptTable;
use crate::wire::csp::Source;

/// The script of a site: `[site.script]` before that of the environment before `[script]`.
///
/// URL and needs are not inherited across kinds: who says `kind = "glance"` for one site does not
/// mean the edge's URL with it.
pub(super) fn settle(levels: [Option<&ScriptTable>; 3], reports: &Reports) -> Script {
    let levels = levels.into_iter().flatten();
    let stated_kind = levels.clone().find_map(|table| table.kind.as_ref());
    let kind = stated_kind.map_or_else(ScriptKind::default, |kind| kind.value);
    let same_kind = |table: &&ScriptTable| {
        let other = table
            .kind
            .as_ref()
            .is_some_and(|stated| stated.value != kind);
        !other
    };
    let of_kind = levels.clone().take_while(same_kind);
    let url = of_kind.clone().find_map(|table| table.url.as_ref());
    let unclear = levels.clone().any(|table| table.unclear);
    if let (ScriptKind::Edge, Some(stated), None, false) = (kind, stated_kind, url, unclear) {
        reports.error(
            &stated.at,
            "the edge's own script has no URL",
            "write url = \"/_cobrowse/visitor.js\" beside it, where the script is served",
        );
    }
    if let Some(url) = url {
        warn_of_unnameable_host(url, reports);
    }
    Script {
        kind,
        url: url.map_or_else(ScriptUrl::vendor, |url| url.value.clone()),
        needs: StatedNeeds::settle(of_kind.map(|table| &table.needs)),
    }
}

fn warn_of_unnameable_host(url: &Stated<ScriptUrl>, reports: &Reports) {
    if Source::origin_of(&url.value.to_string()).is_none() {
        reports.warning(
            &url.at,
            "no content security policy can name the host of this script",
            "write a host name: a page that has a policy will refuse the script",
        );
    }
}
