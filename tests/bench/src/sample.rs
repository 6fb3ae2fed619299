//! What was seen of one peer in one round, and what several rounds say together.

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Metric {
    /// Requests per second.
    Rate,
    /// Microseconds of CPU per request.
    Cpu,
    /// Microseconds above the origin alone, on one connection.
    AddedP50,
    AddedP99,
    /// Microseconds to the first byte of the body, on one connection.
    FirstByte,
    /// Microseconds, while all connections ask.
    BusyP99,
    /// Bytes of memory, shared ones in part.
    Pss,
    /// Bytes of memory that one slow reader adds.
    PssPerReader,
    /// Bytes of the body as sent.
    Output,
}

impl Metric {
    /// As columns, from left to right.
    pub const ALL: [Self; 9] = [
        Self::Rate,
        Self::Cpu,
        Self::AddedP50,
        Self::AddedP99,
        Self::FirstByte,
        Self::BusyP99,
        Self::Pss,
        Self::PssPerReader,
        Self::Output,
    ];

    /// Whether its spread over the rounds is shown.
    pub fn is_main(self) -> bool {
        matches!(self, Self::Rate | Self::Cpu)
    }

    pub fn title(self) -> &'static str {
        match self {
            Self::Rate => "requests/s",
            Self::Cpu => "CPU/request",
            Self::AddedP50 => "added p50",
            Self::AddedP99 => "added p99",
            Self::FirstByte => "first byte",
            Self::BusyP99 => "p99 busy",
            Self::Pss => "PSS",
            Self::PssPerReader => "PSS per reader",
            Self::Output => "output",
        }
    }

    /// With its unit.
    pub fn show(self, value: f64) -> String {
        match self {
            Self::Rate => thousands(value),
            Self::Cpu | Self::AddedP50 | Self::AddedP99 | Self::FirstByte | Self::BusyP99 => {
                time(value)
            }
            Self::Pss => format!("{:.1} MB", value / 1048576.0),
            Self::PssPerReader => format!("{:.1} KB", value / 1024.0),
            Self::Output => format!("{} B", thousands(value)),
        }
    }

    /// The name in JSON.
    pub fn key(self) -> &'static str {
        match self {
            Self::Rate => "requests_per_second",
            Self::Cpu => "cpu_us_per_request",
            Self::AddedP50 => "added_p50_us",
            Self::AddedP99 => "added_p99_us",
            Self::FirstByte => "first_byte_us",
            Self::BusyP99 => "busy_p99_us",
            Self::Pss => "pss_bytes",
            Self::PssPerReader => "pss_per_reader_bytes",
            Self::Output => "output_bytes",
        }
    }
}

fn time(us: f64) -> String {
    match us.abs() {
        10_000.0.. => format!("{:.1} ms", us / 1_000.0),
        1_000.0.. => format!("{:.2} ms", us / 1_000.0),
        _ => format!("{us:.0} us"),
    }
}

fn thousands(value: f64) -> String {
    let digits = format!("{value:.0}");
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// One peer in one round.
#[derive(Clone, Debug, Default)]
pub struct Sample(Vec<(Metric, f64)>);

impl Sample {
    pub fn put(&mut self, metric: Metric, value: f64) {
        self.0.push((metric, value));
    }

    pub fn get(&self, metric: Metric) -> Option<f64> {
        let found = self.0.iter().find(|(known, _)| *known == metric);
        found.map(|(_, value)| *value)
    }

    pub fn iter(&self) -> impl Iterator<Item = (Metric, f64)> {
        self.0.iter().copied()
    }
}

/// Median and range.
#[derive(Clone, Copy, Debug)]
pub struct Spread {
    pub median: f64,
    pub least: f64,
    pub most: f64,
}

impl Spread {
    pub fn of(mut values: Vec<f64>) -> Option<Self> {
        values.retain(|value| value.is_finite());
        values.sort_by(f64::total_cmp);
        let (least, most) = (*values.first()?, *values.last()?);
        let middle = values.len() / 2;
        let median = match values.len() % 2 {
            0 => f64::midpoint(values[middle - 1], values[middle]),
            _ => values[middle],
        };
        Some(Self {
            median,
            least,
            most,
        })
    }

    pub fn over(samples: &[Sample], metric: Metric) -> Option<Self> {
        Self::of(
            samples
                .iter()
                .filter_map(|sample| sample.get(metric))
                .collect(),
        )
    }

    /// The ratios of each round, never of the sums: rounds differ more than peers do.
    pub fn ratio(samples: &[Sample], base: &[Sample], metric: Metric) -> Option<Self> {
        let pairs = samples.iter().zip(base);
        Self::of(
            pairs
                .filter_map(|(sample, base)| {
                    let base = base.get(metric).filter(|base| *base > 0.0)?;
                    Some(sample.get(metric)? / base)
                })
                .collect(),
        )
    }
}

/// The value below which this share of `sorted` lies.
pub fn percentile(sorted: &[u32], share: f64) -> f64 {
    let last = sorted.len().saturating_sub(1);
    let index = (last as f64 * share).round() as usize;
    sorted
        .get(index)
        .map_or(f64::NAN, |ns| f64::from(*ns) / 1_000.0)
}
