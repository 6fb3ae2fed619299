use std::fmt::{self, Write};
use std::io::{self, IsTerminal};
use std::iter;
use std::ops::Range;
use std::sync::Arc;

use miette::{
    Diagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan, MietteError,
    MietteSpanContents, Severity, SourceCode, SourceSpan, SpanContents,
};

use super::terminal::complain;
use crate::problem::{Place, Problem, Related, SourceFile};

/// How problems are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Look {
    /// With the lines that they point at, for a person at a terminal.
    Lines { colour: bool },
    /// `file:line:column: error: ...`, for logs, editors and other programs.
    Plain,
}

impl Look {
    fn of_standard_error() -> Self {
        let colour = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        match io::stderr().is_terminal() {
            true => Self::Lines { colour },
            false => Self::Plain,
        }
    }
}

/// Shows problems on standard error, errors first, and counts them in a last line.
pub(super) fn report(problems: &[Problem]) {
    if !problems.is_empty() {
        complain(render(problems, Look::of_standard_error()).trim_end());
    }
}

fn render(problems: &[Problem], look: Look) -> String {
    let (errors, warnings): (Vec<_>, Vec<_>) = problems.iter().partition(|one| one.is_error());
    let mut text = String::new();
    for problem in errors.iter().chain(&warnings).take(SHOWN_MAX) {
        let written = match look {
            Look::Lines { colour } => write_lines(&mut text, problem, colour),
            Look::Plain => write_plain(&mut text, problem),
        };
        debug_assert!(written.is_ok(), "writing to a String cannot fail");
    }
    if let Some(hidden) = problems
        .len()
        .checked_sub(SHOWN_MAX)
        .filter(|hidden| *hidden > 0)
    {
        text += &format!("... and {hidden} more\n");
    }
    text += &count(errors.len(), warnings.len());
    text.push('\n');
    text
}

fn write_plain(text: &mut String, problem: &Problem) -> fmt::Result {
    let severity = match problem.is_error() {
        true => "error",
        false => "warning",
    };
    writeln!(
        text,
        "{}: {severity}: {}",
        position(&problem.place),
        problem.message
    )?;
    writeln!(text, "  remedy: {}", problem.remedy)?;
    for Related { file, span, label } in also(&problem.place) {
        writeln!(
            text,
            "  see also {}: {label}",
            position_in(file, span.start)
        )?;
    }
    Ok(())
}

fn position(place: &Place) -> String {
    match place {
        Place::Span { file, span, .. } => position_in(file, span.start),
        Place::Path(_) | Place::Flag(_) => place.to_string(),
    }
}

fn position_in(file: &SourceFile, offset: usize) -> String {
    let before = file.text.get(..offset).unwrap_or_default();
    let line_start = before.rfind('\n').map_or(0, |end| end + 1);
    let column = 1 + before[line_start..].chars().count();
    format!("{}:{}:{column}", file.path.display(), file.line_of(offset))
}

fn also(place: &Place) -> &[Related] {
    match place {
        Place::Span { also, .. } => also,
        Place::Path(_) | Place::Flag(_) => &[],
    }
}

fn write_lines(text: &mut String, problem: &Problem, colour: bool) -> fmt::Result {
    let theme = match colour {
        true => GraphicalTheme::unicode(),
        false => GraphicalTheme::unicode_nocolor(),
    };
    let handler = GraphicalReportHandler::new_themed(theme)
        .with_width(WIDTH)
        .with_links(false)
        .with_primary_span_start();
    handler.render_report(text, &Shown::new(problem))?;
    if let Place::Span { file, also, .. } = &problem.place {
        for related in also.iter().filter(|related| !is_in(file, related)) {
            handler.render_report(text, &Shown::of_related(related))?;
        }
    }
    text.push('\n');
    Ok(())
}

fn is_in(file: &Arc<SourceFile>, related: &Related) -> bool {
    Arc::ptr_eq(&related.file, file)
}

/// A problem, as miette draws it.
#[derive(Debug)]
struct Shown<'a> {
    severity: Severity,
    message: String,
    remedy: Option<&'a str>,
    source: Option<FileText>,
    labels: Vec<LabeledSpan>,
}

impl<'a> Shown<'a> {
    fn new(problem: &'a Problem) -> Self {
        let severity = match problem.is_error() {
            true => Severity::Error,
            false => Severity::Warning,
        };
        let shown = Self {
            severity,
            message: problem.message.clone(),
            remedy: Some(&problem.remedy),
            source: None,
            labels: Vec::new(),
        };
        match &problem.place {
            Place::Span { file, span, also } => {
                let others = also.iter().filter(|related| is_in(file, related));
                let others = others.map(|related| beside(file, &related.span, &related.label));
                Self {
                    source: Some(FileText(Arc::clone(file))),
                    labels: iter::once(here(file, span)).chain(others).collect(),
                    ..shown
                }
            }
            place @ (Place::Path(_) | Place::Flag(_)) => Self {
                message: format!("{place}: {}", problem.message),
                ..shown
            },
        }
    }

    /// A place in another file, which miette cannot draw beside the first.
    fn of_related(related: &'a Related) -> Self {
        Self {
            severity: Severity::Advice,
            message: related.label.clone(),
            remedy: None,
            source: Some(FileText(Arc::clone(&related.file))),
            labels: vec![here(&related.file, &related.span)],
        }
    }
}

/// The place itself: the one whose line stands above the drawing.
fn here(file: &SourceFile, span: &Range<usize>) -> LabeledSpan {
    LabeledSpan::new_primary_with_span(Some("here".to_owned()), within(file, span))
}

fn beside(file: &SourceFile, span: &Range<usize>, text: &str) -> LabeledSpan {
    LabeledSpan::new_with_span(Some(text.to_owned()), within(file, span))
}

/// Never beyond the text, which miette could not draw.
fn within(file: &SourceFile, span: &Range<usize>) -> Range<usize> {
    let end = span.end.min(file.text.len());
    span.start.min(end)..end
}

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Shown<'_> {}

impl Diagnostic for Shown<'_> {
    fn severity(&self) -> Option<Severity> {
        Some(self.severity)
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.remedy
            .map(|remedy| Box::new(remedy) as Box<dyn fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.source.as_ref().map(|source| source as &dyn SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        Some(Box::new(self.labels.iter().cloned()))
    }
}

/// A file as miette reads it: no copy of its text for every problem in it.
#[derive(Debug)]
struct FileText(Arc<SourceFile>);

impl SourceCode for FileText {
    fn read_span<'a>(
        &'a self,
        span: &SourceSpan,
        lines_before: usize,
        lines_after: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        let contents = self
            .0
            .text
            .as_str()
            .read_span(span, lines_before, lines_after)?;
        Ok(Box::new(MietteSpanContents::new_named(
            self.0.path.display().to_string(),
            contents.data(),
            *contents.span(),
            contents.line(),
            contents.column(),
            contents.line_count(),
        )))
    }
}

fn count(errors: usize, warnings: usize) -> String {
    let errors = (errors > 0).then(|| counted(errors, "error"));
    let warnings = (warnings > 0).then(|| counted(warnings, "warning"));
    let both: Vec<_> = errors.into_iter().chain(warnings).collect();
    both.join(", ")
}

/// `1 site`, `2 sites`.
pub(super) fn counted(number: usize, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {noun}{plural}")
}

/// A person reads no more at once, and mends the first ones first.
const SHOWN_MAX: usize = 100;
/// Fits the terminals that people have, since how wide this one is is not asked.
const WIDTH: usize = 100;

#[cfg(test)]
mod tests;
