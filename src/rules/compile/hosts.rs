use std::collections::HashMap;

use crate::document::{Fault, Reports, Stated};
use crate::rules::host::{HostIndex, HostPattern};
use crate::rules::site::Site;

/// The index over all hosts; reports hosts that two sites claim, or one site claims twice.
pub(super) fn index(sites: &[Site], reports: &Reports) -> HostIndex {
    let mut index = HostIndex::default();
    let mut first: HashMap<&HostPattern, (usize, &Stated<HostPattern>)> = HashMap::new();
    for (number, site) in sites.iter().enumerate() {
        for host in &site.hosts {
            match first.get(&host.value) {
                Some((owner, known)) => {
                    let fault = twice(&host.value, *owner == number);
                    reports.conflict(&host.at, (&known.at, "the first one"), fault);
                }
                None => {
                    first.insert(&host.value, (number, host));
                    index.insert(&host.value, number);
                }
            }
        }
    }
    index
}

fn twice(host: &HostPattern, same_site: bool) -> Fault {
    if same_site {
        return Fault::new(
            format!("the host \"{host}\" is listed twice"),
            "remove one of the two",
        );
    }
    Fault::new(
        format!("two sites have the host \"{host}\""),
        "remove it from one of them, or bring both sites together and tell them apart by path",
    )
}
