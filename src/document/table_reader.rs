use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::problem::SourceFile;

use super::at::{At, Stated};
use super::did_you_mean::did_you_mean;
use super::fault::{Fault, THIS_KEY};
use super::reports::Reports;
use super::value::wrong_type;

/// Entries of one list (paths of a rule, masks of a level, addresses of a server).
pub const MAX_LIST_ENTRIES: usize = 1_000;

/// One table, while its keys are taken out one after another.
///
/// The keys that were asked for are the ones that are known: [`TableReader::finish`] reports all
/// others. Serde would stop at the first fault.
#[derive(Debug)]
pub struct TableReader<'a> {
    name: &'static str,
    file: &'a Arc<SourceFile>,
    reports: &'a Reports,
    table: &'a DeTable<'a>,
    at: At,
    known: Vec<&'static str>,
    /// Keys that were reported already.
    refused: Vec<&'static str>,
    errors_before: usize,
}

impl<'a> TableReader<'a> {
    /// `name` is how the table is called in messages, such as `[[site]]`.
    pub fn new(
        name: &'static str,
        file: &'a Arc<SourceFile>,
        reports: &'a Reports,
        table: &'a Spanned<DeTable<'a>>,
    ) -> Self {
        Self::of_table(name, (file, table.span()), reports, table.get_ref())
    }

    /// The table's header.
    pub fn at(&self) -> &At {
        &self.at
    }

    /// The value of `key`, if it is there and `parse` understands it.
    pub fn take<T>(
        &mut self,
        key: &'static str,
        parse: impl Fn(&DeValue<'_>) -> Result<T, Fault>,
    ) -> Option<Stated<T>> {
        let value = self.ask(key)?;
        self.parse(Subject::Key(key), value, &parse)
    }

    /// The same, or `default`.
    pub fn take_or<T>(
        &mut self,
        key: &'static str,
        default: T,
        parse: impl Fn(&DeValue<'_>) -> Result<T, Fault>,
    ) -> T {
        self.take(key, parse).map_or(default, |stated| stated.value)
    }

    /// The entries of a list; those that `parse` does not understand are reported and left out.
    pub fn take_list<T>(
        &mut self,
        key: &'static str,
        parse: impl Fn(&DeValue<'_>) -> Result<T, Fault>,
    ) -> Vec<Stated<T>> {
        let list = self.take_whole_list(key, parse);
        list.map_or_else(Vec::new, |list| list.value)
    }

    /// The same with the place of the list itself; `None`: there is none.
    pub fn take_whole_list<T>(
        &mut self,
        key: &'static str,
        parse: impl Fn(&DeValue<'_>) -> Result<T, Fault>,
    ) -> Option<Stated<Vec<Stated<T>>>> {
        let value = self.ask(key)?;
        let DeValue::Array(_) = value.get_ref() else {
            let write = "[...] around it, also around a single value";
            let fault = wrong_type(value.get_ref(), "a list", write);
            self.reject(Subject::Key(key), value, fault);
            return None;
        };
        Some(Stated {
            value: self.entries(key, value, &parse),
            at: At::new(self.file, value.span()),
        })
    }

    /// Like [`Self::take_list`]; one value may stand without brackets.
    pub fn take_one_or_list<T>(
        &mut self,
        key: &'static str,
        parse: impl Fn(&DeValue<'_>) -> Result<T, Fault>,
    ) -> Vec<Stated<T>> {
        let Some(value) = self.ask(key) else {
            return Vec::new();
        };
        match value.get_ref() {
            DeValue::Array(_) => self.entries(key, value, &parse),
            _ => self
                .parse(Subject::Key(key), value, &parse)
                .into_iter()
                .collect(),
        }
    }

    /// A table inside this one, called `name` in messages.
    pub fn take_table(&mut self, key: &'static str, name: &'static str) -> Option<Self> {
        let value = self.ask(key)?;
        let fault = match value.get_ref() {
            DeValue::Table(table) => return Some(self.below(name, value.span(), table)),
            DeValue::Array(_) => Fault::new(
                format!("there is only one {name}"),
                format!("write {name}, in single brackets, once"),
            ),
            other => wrong_type(other, "a table", &format!("{key} = {{ ... }}, or {name}")),
        };
        self.reject(Subject::Key(key), value, fault);
        None
    }

    /// The tables of `[[key]]`, each called `name` in messages.
    pub fn take_tables(&mut self, key: &'static str, name: &'static str) -> Vec<Self> {
        let Some(value) = self.ask(key) else {
            return Vec::new();
        };
        let DeValue::Array(array) = value.get_ref() else {
            let fault = Fault::new(
                format!("`{key}` is a list of tables, each under its own header"),
                format!("write the header as {name}, in double brackets"),
            );
            self.reject(Subject::Key(key), value, fault);
            return Vec::new();
        };
        let mut tables = Vec::new();
        for entry in array.iter() {
            match entry.get_ref() {
                DeValue::Table(table) => tables.push(self.below(name, entry.span(), table)),
                other => {
                    let fault = wrong_type(other, "a table", &format!("the header {name}"));
                    self.reject(Subject::Key(key), entry, fault);
                }
            }
        }
        tables
    }

    /// Every entry of a table whose keys are free, in the order of the keys.
    pub fn all(&self) -> Vec<(Stated<&'a str>, &'a DeValue<'a>, At)> {
        let entries = self.table.iter();
        entries
            .map(|(key, value)| {
                let at = At::new(self.file, key.span());
                let key: &str = key.get_ref();
                let key = Stated { value: key, at };
                (key, value.get_ref(), At::new(self.file, value.span()))
            })
            .collect()
    }

    /// Reports a key that people may well look for here, but that belongs elsewhere.
    pub fn refuse(&mut self, key: &'static str, remedy: &str) {
        self.refused.push(key);
        if let Some((written, _)) = self.table.get_key_value(key) {
            let at = At::new(self.file, written.span());
            let message = format!("`{key}` cannot be set in {}", self.name);
            self.reports.error(&at, message, remedy);
        }
    }

    /// Whether the key is written, whatever its value.
    pub fn has(&self, key: &str) -> bool {
        self.table.contains_key(key)
    }

    pub fn is_empty(&self) -> bool {
        self.table.is_empty()
    }

    /// Reports a key that must be there and is not, or is an empty list.
    pub fn require(&self, key: &str, remedy: &str) {
        let fault = |message: String| Fault::new(message, remedy);
        match self.table.get(key) {
            None => self.fault(&self.at, fault(format!("{} has no `{key}`", self.name))),
            Some(value) => {
                let empty = value
                    .get_ref()
                    .as_array()
                    .is_some_and(|list| list.is_empty());
                if empty {
                    self.reject(
                        Subject::Key(key),
                        value,
                        fault(format!("{THIS_KEY} is empty")),
                    );
                }
            }
        }
    }

    pub fn fault(&self, at: &At, fault: Fault) {
        self.reports.fault(at, fault);
    }

    /// The value, unless it was refused: then that is reported at `at`.
    pub fn accept<T>(&self, at: &At, parsed: Result<T, Fault>) -> Option<T> {
        parsed
            .map_err(|fault| self.fault(at, fault.named("this")))
            .ok()
    }

    /// Reports unknown keys. True if nothing was wrong with this table and all that was read from
    /// it: only then does it make sense to look for contradictions, and for what is missing. (Where
    /// several tables are taken before the first is read, the faults of one count for the others.)
    pub fn finish(self) -> bool {
        let unknown = self.table.keys().filter(|key| {
            let key: &str = key.get_ref();
            !self.known.contains(&key) && !self.refused.contains(&key)
        });
        for key in unknown {
            let at = At::new(self.file, key.span());
            let fault = self.unknown_key(key.get_ref());
            self.reports.fault(&at, fault);
        }
        self.reports.errors() == self.errors_before
    }

    fn of_table(
        name: &'static str,
        (file, span): (&'a Arc<SourceFile>, Range<usize>),
        reports: &'a Reports,
        table: &'a DeTable<'a>,
    ) -> Self {
        Self {
            name,
            file,
            reports,
            table,
            at: At::new(file, span),
            known: Vec::new(),
            refused: Vec::new(),
            errors_before: reports.errors(),
        }
    }

    fn unknown_key(&self, key: &str) -> Fault {
        let name = self.name;
        let remedy = match did_you_mean(key, self.known.iter().copied()) {
            Some(meant) => format!("did you mean `{meant}`?"),
            None => format!("remove it; known here: {}", self.known.join(", ")),
        };
        Fault::new(format!("unknown key `{key}` in {name}"), remedy)
    }

    fn ask(&mut self, key: &'static str) -> Option<&'a Spanned<DeValue<'a>>> {
        self.known.push(key);
        self.table.get(key)
    }

    fn below(&self, name: &'static str, span: Range<usize>, table: &'a DeTable<'a>) -> Self {
        Self::of_table(name, (self.file, span), self.reports, table)
    }

    fn entries<T>(
        &self,
        key: &str,
        list: &Spanned<DeValue<'_>>,
        parse: &impl Fn(&DeValue<'_>) -> Result<T, Fault>,
    ) -> Vec<Stated<T>> {
        let entries = list.get_ref().as_array().map_or(&[][..], |array| array);
        if entries.len() > MAX_LIST_ENTRIES {
            let message = format!("`{key}` has {} entries", entries.len());
            let remedy = format!("keep to {MAX_LIST_ENTRIES} at most");
            self.reject(Subject::Key(key), list, Fault::new(message, remedy));
            return Vec::new();
        }
        let parsed = entries
            .iter()
            .map(|entry| self.parse(Subject::EntryOf(key), entry, parse));
        parsed.flatten().collect()
    }

    fn parse<T>(
        &self,
        subject: Subject<'_>,
        value: &Spanned<DeValue<'_>>,
        parse: &impl Fn(&DeValue<'_>) -> Result<T, Fault>,
    ) -> Option<Stated<T>> {
        let at = At::new(self.file, value.span());
        match parse(value.get_ref()) {
            Ok(value) => Some(Stated { value, at }),
            Err(fault) => {
                self.reject(subject, value, fault);
                None
            }
        }
    }

    fn reject(&self, subject: Subject<'_>, value: &Spanned<DeValue<'_>>, fault: Fault) {
        let at = At::new(self.file, value.span());
        self.reports.fault(&at, fault.named(&subject.to_string()));
    }
}

/// What a fault is about.
#[derive(Clone, Copy)]
enum Subject<'a> {
    EntryOf(&'a str),
    Key(&'a str),
}

impl fmt::Display for Subject<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::EntryOf(key) => write!(f, "an entry of `{key}`"),
            Self::Key(key) => write!(f, "`{key}`"),
        }
    }
}
