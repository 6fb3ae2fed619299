//! As it comes, but for the access log, which all have off, and the admin listener.

use std::fmt::Write as _;
use std::fs;

use anyhow::Result;

use super::{Kind, Setting, Work};
use crate::client::HOST;
use crate::pages::SELECTORS;

pub fn arguments(kind: Kind, setting: &Setting<'_>) -> Result<Vec<String>> {
    let directory = setting.directory();
    fs::create_dir_all(setting.directory.join("rules"))?;
    setting.write("rules/bench.toml", &rules(kind, setting))?;
    let (plain, tls) = match setting.certificate {
        None => (format!("{:?}", setting.listen.to_string()), String::new()),
        Some(_) => (String::new(), format!("{:?}", setting.listen.to_string())),
    };
    let certs = match setting.certificate {
        None => String::new(),
        Some(certificate) => format!(
            "certs = {:?}\n",
            certificate.directory.display().to_string()
        ),
    };
    let settings = setting.write(
        "edge.toml",
        &format!(
            "rules = \"{directory}/rules\"\n{certs}\
             [server]\nhttp = [{plain}]\nhttps = [{tls}]\ndrain_timeout = \"1s\"\n\
             [admin]\nenabled = false\n[log]\naccess = \"off\"\nfilter = \"warn\"\n"
        ),
    )?;
    Ok(vec!["serve".to_owned(), "--config".to_owned(), settings])
}

fn rules(kind: Kind, setting: &Setting<'_>) -> String {
    let what = match (setting.work, kind) {
        (Work::Pass, _) => "inject = false\n".to_owned(),
        (Work::Tag, Kind::EdgeTagLast) => String::new(),
        (Work::Tag, _) => "placement = \"head\"\n".to_owned(),
        (Work::Masks(count), _) => format!("masks = {:?}\n", &SELECTORS[..count]),
    };
    let mut text = format!(
        "version = 1\n[[site]]\nhosts = [\"{HOST}\"]\norigin = \"http://{}\"\ngroup = 15687\n{what}",
        setting.origin
    );
    if let Kind::EdgeRules(count) = kind {
        more_rules(&mut text, count);
    }
    text
}

/// Exact paths, areas and wildcards, as a grown rule set has them; none is the page's own.
fn more_rules(text: &mut String, count: usize) {
    for number in 0..count {
        let path = match number % 4 {
            0 => format!("/area{number}/**"),
            1 => format!("/products/item{number}/details.html"),
            2 => format!("/branches/*/service{number}"),
            _ => format!("/area{}/forms/*.asp", number - 3),
        };
        let _ = writeln!(
            text,
            "[[site.rule]]\nname = \"rule {number}\"\npath = \"{path}\"\nadditional_groups = [{}]",
            20_000 + number
        );
    }
}
