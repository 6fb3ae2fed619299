use std::cell::{Cell, RefCell};

use crate::problem::{Place, Problem};

use super::at::At;
use super::fault::Fault;

/// Collects problems while files are read and compiled. Nothing stops at the first one.
#[derive(Debug, Default)]
pub struct Reports {
    problems: RefCell<Vec<Problem>>,
    /// Counted as they come, since it is asked for at every table.
    errors: Cell<usize>,
}

impl Reports {
    pub fn error(&self, at: &At, message: impl Into<String>, remedy: impl Into<String>) {
        self.push(Problem::error(at.place(), message, remedy));
    }

    pub fn warning(&self, at: &At, message: impl Into<String>, remedy: impl Into<String>) {
        self.push(Problem::warning(at.place(), message, remedy));
    }

    pub fn fault(&self, at: &At, fault: Fault) {
        self.error(at, fault.message, fault.remedy);
    }

    /// Two statements that cannot both stand; `other` is shown as well, with the words `label`.
    pub fn conflict(&self, at: &At, (other, label): (&At, &str), fault: Fault) {
        let place = at.place_with(vec![other.related(label)]);
        self.push(Problem::error(place, fault.message, fault.remedy));
    }

    pub fn push(&self, problem: Problem) {
        let errors = self.errors.get() + usize::from(problem.is_error());
        self.errors.set(errors);
        self.problems.borrow_mut().push(problem);
    }

    pub fn errors(&self) -> usize {
        self.errors.get()
    }

    /// All problems in the order in which a person meets them: by file, then by place; those that
    /// stand in no file come last.
    pub fn into_sorted(self) -> Vec<Problem> {
        let mut problems = self.problems.into_inner();
        problems.sort_by_key(|problem| match &problem.place {
            Place::Path(path) => Ok((path.clone(), 0)),
            Place::Span { file, span, .. } => Ok((file.path.clone(), span.start)),
            Place::Flag(_) => Err(()),
        });
        problems
    }
}
