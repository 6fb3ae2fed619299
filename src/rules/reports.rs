use std::cell::RefCell;

use crate::problem::{Place, Problem};

use super::source::At;

/// What is wrong with one value, before it is known where the value stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) message: String,
    pub(super) remedy: String,
}

impl Fault {
    pub(super) fn new(message: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            remedy: remedy.into(),
        }
    }
}

/// Collects problems while files are read and compiled. Nothing stops at the first one.
#[derive(Debug, Default)]
pub(super) struct Reports {
    problems: RefCell<Vec<Problem>>,
}

impl Reports {
    pub(super) fn error(&self, at: &At, message: impl Into<String>, remedy: impl Into<String>) {
        self.push(Problem::error(at.place(), message, remedy));
    }

    pub(super) fn warning(&self, at: &At, message: impl Into<String>, remedy: impl Into<String>) {
        self.push(Problem::warning(at.place(), message, remedy));
    }

    pub(super) fn fault(&self, at: &At, fault: Fault) {
        self.error(at, fault.message, fault.remedy);
    }

    /// Two statements that cannot both stand; `other` is shown as well, with the words `label`.
    pub(super) fn conflict(&self, at: &At, (other, label): (&At, &str), fault: Fault) {
        let place = at.place_with(vec![other.related(label)]);
        self.push(Problem::error(place, fault.message, fault.remedy));
    }

    pub(super) fn push(&self, problem: Problem) {
        self.problems.borrow_mut().push(problem);
    }

    pub(super) fn errors(&self) -> usize {
        let problems = self.problems.borrow();
        problems.iter().filter(|one| one.is_error()).count()
    }

    /// All problems in the order in which a person meets them: by file, then by place.
    pub(super) fn into_sorted(self) -> Vec<Problem> {
        let mut problems = self.problems.into_inner();
        problems.sort_by_key(|problem| match &problem.place {
            Place::Path(path) => (path.clone(), 0),
            Place::Span { file, span, .. } => (file.path.clone(), span.start),
            Place::Flag(flag) => (flag.into(), 0),
        });
        problems
    }
}
