//! A fault in a file that a person wrote: where it is, what is wrong, what would be right.
//!
//! Rooms that read files (rules, settings, certificates) collect all their problems and return
//! them together; the commands print them.

use std::error::Error;
use std::fmt;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;

/// A text file as it was read; problems point into it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceFile {
    pub path: PathBuf,
    pub text: String,
}

impl SourceFile {
    /// The line, counted from 1, on which the byte at `offset` stands.
    pub fn line_of(&self, offset: usize) -> usize {
        let end = offset.min(self.text.len());
        1 + self.text.as_bytes()[..end]
            .iter()
            .filter(|byte| **byte == b'\n')
            .count()
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The file can be used; a person should look at it.
    Warning,
    /// The file cannot be used.
    Error,
}

/// Where a problem is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// Bytes of a file that could be read; `also` are further places that belong to the matter,
    /// each with a few words (the other one of two rules that collide).
    Span {
        file: Arc<SourceFile>,
        span: Range<usize>,
        also: Vec<Related>,
    },
    /// A file or directory as a whole: missing, unreadable, not text.
    Path(PathBuf),
    /// A flag of the command line.
    Flag(&'static str),
}

/// A further place that belongs to a problem.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Related {
    pub file: Arc<SourceFile>,
    pub span: Range<usize>,
    pub label: String,
}

/// One fault, with its remedy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    pub severity: Severity,
    pub place: Place,
    /// What is wrong: lower-case, no full stop, quotes the offending text.
    pub message: String,
    /// What would be right, as an instruction: "write ...", "remove ...".
    pub remedy: String,
}

impl Problem {
    pub fn error(place: Place, message: impl Into<String>, remedy: impl Into<String>) -> Self {
        let (message, remedy) = (message.into(), remedy.into());
        Self {
            severity: Severity::Error,
            place,
            message,
            remedy,
        }
    }

    pub fn warning(place: Place, message: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self {
            severity: Severity::Warning,
            ..Self::error(place, message, remedy)
        }
    }

    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}

impl Place {
    pub fn span(file: &Arc<SourceFile>, span: Range<usize>) -> Self {
        Self::Span {
            file: Arc::clone(file),
            span,
            also: Vec::new(),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Span { file, span, .. } => {
                write!(f, "{}:{}", file.path.display(), file.line_of(span.start))
            }
            Self::Path(path) => write!(f, "{}", path.display()),
            Self::Flag(flag) => f.write_str(flag),
        }
    }
}

/// One line, for logs; the commands print problems with the lines they point at.
impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} ({})", self.place, self.message, self.remedy)
    }
}

/// The text of an error and of its causes, each once.
pub fn with_causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let more = error.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        cause = error.source();
    }
    text
}
