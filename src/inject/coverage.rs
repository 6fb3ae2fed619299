use std::sync::Arc;

use super::body::PageEnd;
use crate::html::{LocatorStop, PageOutcome, PageReport, Plan};
use crate::telemetry::Metrics;

/// Counts what became of a page, under the names of its site and rule.
#[derive(Clone, Debug)]
pub struct Coverage {
    pub metrics: Arc<Metrics>,
    pub site: Arc<str>,
    pub rule: Arc<str>,
    pub plan: Arc<Plan>,
}

impl Coverage {
    /// Counts the page, and returns the word for the access log: `None` when the tag is on the
    /// page, else why it is not.
    pub fn record(&self, end: &PageEnd) -> Option<&'static str> {
        let untagged = match end {
            PageEnd::Finished(report) => self.record_finished(report),
            PageEnd::Broken => Some("broken_off"),
            PageEnd::Abandoned => Some("abandoned"),
        };
        match untagged {
            None => {
                let (site, rule) = (Arc::clone(&self.site), Arc::clone(&self.rule));
                self.metrics.page_rewritten(site, rule);
            }
            Some(reason) => self.metrics.page_untagged(&self.site, &self.rule, reason),
        }
        untagged
    }

    fn record_finished(&self, report: &PageReport) -> Option<&'static str> {
        let counted = self.plan.masks().iter().zip(&report.mask_counts);
        for (mask, count) in counted.filter(|(_, count)| **count > 0) {
            self.metrics
                .masks_applied(&self.site, &self.rule, mask.selector.as_str(), *count);
        }
        untagged_reason(report.outcome)
    }
}

fn untagged_reason(outcome: PageOutcome) -> Option<&'static str> {
    match outcome {
        PageOutcome::Tagged => None,
        PageOutcome::Kept => Some("existing_tag_kept"),
        PageOutcome::KeptUnmasked(_) => Some("existing_tag_kept_unmasked"),
        PageOutcome::Empty => Some("empty"),
        PageOutcome::Refused => Some("csp"),
        PageOutcome::RefusedLate => Some("csp_late"),
        PageOutcome::Untagged(stop) => Some(match stop {
            LocatorStop::Ambiguity => "ambiguous_markup",
            LocatorStop::Charset => "charset",
            LocatorStop::Complete | LocatorStop::Fault => "parser_fault",
            LocatorStop::Data => "data",
            LocatorStop::MemoryLimit => "memory_limit",
            LocatorStop::NotADocument => "not_a_document",
            LocatorStop::Panic => "parser_panic",
            LocatorStop::TagNotLive => "tag_not_live",
            LocatorStop::Untyped => "untyped",
            LocatorStop::Xml => "xml_not_read",
            LocatorStop::XmlAttribute => "xml_attribute_twice",
        }),
    }
}
