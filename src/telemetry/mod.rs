//! What is observed: metrics, the access log, and the process's own log.
//!
//! No label and no line ever holds a query string, a cookie, a form value, a session key or a
//! person. Label values come from the configuration or are constants of this program, so that the
//! number of series is bounded by what the operator wrote.

mod access_log;
mod access_record;
mod blame;
mod escape;
mod labels;
mod lines;
mod log;
mod metrics;
mod origin_metrics;

pub use access_log::{AccessLog, AccessLogFormat, AccessLogWriter};
pub use access_record::AccessRecord;
pub use blame::Blame;
pub use log::{LogError, LogFormat, LogWriter, start_log};
pub use metrics::{ConnectionGuard, Direction, METRICS_CONTENT_TYPE, Metrics};
pub use origin_metrics::{OriginFigures, SiteFigures};
