//! Reads a TOML tree key by key and reports everything that is wrong with it, not only the first
//! fault: serde stops at the first one, and a person who mends a file wants to see them all.

use std::cell::RefCell;
use std::ops::Range;
use std::sync::Arc;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::did_you_mean::did_you_mean;
use super::fault::Fault;
use super::value::wrong_type;
use crate::problem::{Place, Problem, Related, SourceFile};

/// A value, and where a person wrote it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Stated<T> {
    pub(super) value: T,
    pub(super) span: Range<usize>,
}

/// Collects the problems of one file. Nothing stops at the first one.
#[derive(Debug)]
pub(super) struct Reports {
    file: Arc<SourceFile>,
    problems: RefCell<Vec<Problem>>,
}

impl Reports {
    pub(super) fn new(file: &Arc<SourceFile>) -> Self {
        Self {
            file: Arc::clone(file),
            problems: RefCell::default(),
        }
    }

    pub(super) fn error(&self, span: &Range<usize>, fault: Fault) {
        self.push(Problem::error(
            self.place(span),
            fault.message,
            fault.remedy,
        ));
    }

    pub(super) fn warning(&self, span: &Range<usize>, fault: Fault) {
        self.push(Problem::warning(
            self.place(span),
            fault.message,
            fault.remedy,
        ));
    }

    /// Two statements that cannot both stand; `other` is shown as well, with the words `label`.
    pub(super) fn conflict(
        &self,
        span: &Range<usize>,
        (other, label): (&Range<usize>, &str),
        fault: Fault,
    ) {
        let place = Place::Span {
            file: Arc::clone(&self.file),
            span: span.clone(),
            also: vec![Related {
                file: Arc::clone(&self.file),
                span: other.clone(),
                label: label.to_owned(),
            }],
        };
        self.push(Problem::error(place, fault.message, fault.remedy));
    }

    pub(super) fn push(&self, problem: Problem) {
        self.problems.borrow_mut().push(problem);
    }

    pub(super) fn errors(&self) -> usize {
        let problems = self.problems.borrow();
        problems.iter().filter(|one| one.is_error()).count()
    }

    /// In the order in which a person meets them; what stands outside the file comes last.
    pub(super) fn into_sorted(self) -> Vec<Problem> {
        let mut problems = self.problems.into_inner();
        problems.sort_by_key(|problem| match &problem.place {
            Place::Span { span, .. } => span.start,
            Place::Path(_) | Place::Flag(_) => usize::MAX,
        });
        problems
    }

    fn place(&self, span: &Range<usize>) -> Place {
        Place::span(&self.file, span.clone())
    }
}

/// One table, while its keys are taken out one after another.
///
/// The keys that were asked for are the ones that are known: [`TableReader::finish`] reports all
/// others.
pub(super) struct TableReader<'a> {
    /// How the table is called in messages, such as `[server]`.
    name: &'static str,
    reports: &'a Reports,
    table: &'a DeTable<'a>,
    span: Range<usize>,
    known: Vec<&'static str>,
    errors_before: usize,
}

impl<'a> TableReader<'a> {
    pub(super) fn new(
        name: &'static str,
        reports: &'a Reports,
        table: &'a Spanned<DeTable<'a>>,
    ) -> Self {
        Self::at(name, reports, table.get_ref(), table.span())
    }

    /// The table's header.
    pub(super) fn span(&self) -> &Range<usize> {
        &self.span
    }

    /// The value of `key`, if it is there and `parse` understands it.
    pub(super) fn take<T>(
        &mut self,
        key: &'static str,
        parse: impl Fn(&DeValue<'_>) -> Result<T, Fault>,
    ) -> Option<Stated<T>> {
        let value = self.ask(key)?;
        self.parse(key, value, &parse)
    }

    /// The same, or `default`.
    pub(super) fn take_or<T>(
        &mut self,
        key: &'static str,
        default: T,
        parse: impl Fn(&DeValue<'_>) -> Result<T, Fault>,
    ) -> T {
        self.take(key, parse).map_or(default, |stated| stated.value)
    }

    /// The entries of a list; those that `parse` does not understand are reported and left out.
    /// `None`: the key is not there.
    pub(super) fn take_list<T>(
        &mut self,
        key: &'static str,
        parse: impl Fn(&DeValue<'_>) -> Result<T, Fault>,
    ) -> Option<Stated<Vec<Stated<T>>>> {
        let list = self.ask(key)?;
        let DeValue::Array(entries) = list.get_ref() else {
            let write = "[...] around it, also around a single value";
            let fault = wrong_type(list.get_ref(), "a list", write);
            self.reject(key, list, &fault);
            return None;
        };
        let parsed = entries.iter();
        let parsed = parsed.filter_map(|entry| self.parse(key, entry, &parse));
        Some(Stated {
            value: parsed.collect(),
            span: list.span(),
        })
    }

    /// A table inside this one, called `name` in messages.
    pub(super) fn take_table(&mut self, key: &'static str, name: &'static str) -> Option<Self> {
        let value = self.ask(key)?;
        let DeValue::Table(table) = value.get_ref() else {
            let fault = wrong_type(value.get_ref(), "a table", &format!("{name}, once"));
            self.reject(key, value, &fault);
            return None;
        };
        Some(Self::at(name, self.reports, table, value.span()))
    }

    /// Whether the key is written, whatever its value.
    pub(super) fn has(&self, key: &str) -> bool {
        self.table.contains_key(key)
    }

    /// Reports unknown keys. True if nothing was wrong with this table and all that was read from
    /// it: only then does it make sense to look for contradictions, and for what is missing.
    pub(super) fn finish(self) -> bool {
        for key in self.table.keys() {
            let name: &str = key.get_ref();
            if !self.known.contains(&name) {
                self.reports.error(&key.span(), self.unknown_key(name));
            }
        }
        self.reports.errors() == self.errors_before
    }

    fn at(
        name: &'static str,
        reports: &'a Reports,
        table: &'a DeTable<'a>,
        span: Range<usize>,
    ) -> Self {
        Self {
            name,
            reports,
            table,
            span,
            known: Vec::new(),
            errors_before: reports.errors(),
        }
    }

    fn unknown_key(&self, key: &str) -> Fault {
        let remedy = match did_you_mean(key, self.known.iter().copied()) {
            Some(meant) => format!("did you mean `{meant}`?"),
            None => format!("remove it; known here: {}", self.known.join(", ")),
        };
        Fault::new(format!("unknown key `{key}` in {}", self.name), remedy)
    }

    fn ask(&mut self, key: &'static str) -> Option<&'a Spanned<DeValue<'a>>> {
        self.known.push(key);
        self.table.get(key)
    }

    fn parse<T>(
        &self,
        key: &str,
        value: &Spanned<DeValue<'_>>,
        parse: &impl Fn(&DeValue<'_>) -> Result<T, Fault>,
    ) -> Option<Stated<T>> {
        let span = value.span();
        let parsed = parse(value.get_ref());
        let parsed = parsed.map_err(|fault| self.reject(key, value, &fault));
        parsed.ok().map(|value| Stated { value, span })
    }

    fn reject(&self, key: &str, value: &Spanned<DeValue<'_>>, fault: &Fault) {
        self.reports.error(&value.span(), fault.named(key));
    }
}
