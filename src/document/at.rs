use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use crate::problem::{Place, Related, SourceFile};

/// Where something stands in a file.
#[derive(Clone, PartialEq, Eq)]
pub struct At {
    file: Arc<SourceFile>,
    span: Range<usize>,
}

impl At {
    pub fn new(file: &Arc<SourceFile>, span: Range<usize>) -> Self {
        Self {
            file: Arc::clone(file),
            span,
        }
    }

    pub fn file(&self) -> &Arc<SourceFile> {
        &self.file
    }

    pub fn place(&self) -> Place {
        Place::span(&self.file, self.span.clone())
    }

    /// This place, with `others` as places that belong to the matter.
    pub fn place_with(&self, also: Vec<Related>) -> Place {
        Place::Span {
            file: Arc::clone(&self.file),
            span: self.span.clone(),
            also,
        }
    }

    pub fn related(&self, label: impl Into<String>) -> Related {
        Related {
            file: Arc::clone(&self.file),
            span: self.span.clone(),
            label: label.into(),
        }
    }

    /// The line, counted from 1.
    pub fn line(&self) -> usize {
        self.file.line_of(self.span.start)
    }
}

impl fmt::Display for At {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file.path.display(), self.line())
    }
}

impl fmt::Debug for At {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "At({self})")
    }
}

/// A value, and where a person wrote it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stated<T> {
    pub value: T,
    pub at: At,
}

impl<T> Stated<T> {
    pub fn map<U>(self, to: impl FnOnce(T) -> U) -> Stated<U> {
        Stated {
            value: to(self.value),
            at: self.at,
        }
    }
}
