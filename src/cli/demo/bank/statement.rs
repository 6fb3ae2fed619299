use std::fmt::Write;
use std::iter;

use bytes::Bytes;

use super::page::{page, split};

/// Lines of the statement: about 1.5 MB of HTML.
pub(super) const ROWS: usize = 4_700;

/// The statement of account, in the chunks in which the bank's old program prints it.
pub(super) fn html() -> impl Iterator<Item = Bytes> + Send {
    let frame = page(include_bytes!("pages/statement.html"));
    let (before, after) = split(&frame, MOVEMENTS);
    let before = Bytes::copy_from_slice(before);
    let after = Bytes::copy_from_slice(after);
    iter::once(before)
        .chain(rows_in_chunks())
        .chain(iter::once(after))
}

/// The newest lines again, for spreadsheets.
pub(super) fn csv() -> String {
    let mut text = String::from("Date,Movement,Other account,Amount,Balance\r\n");
    for row in Ledger::opened().take(CSV_ROWS) {
        let Row {
            movement, account, ..
        } = &row;
        let (date, amount, balance) = (row.date(), money(row.amount), money(row.balance));
        let _ = write!(text, "{date},{movement},{account},{amount},{balance}\r\n");
    }
    text
}

fn rows_in_chunks() -> impl Iterator<Item = Bytes> + Send {
    let mut rows = Ledger::opened().take(ROWS).enumerate();
    iter::from_fn(move || {
        let mut chunk = String::new();
        for (index, row) in rows.by_ref().take(ROWS_PER_CHUNK) {
            row.write_html(&mut chunk, index);
        }
        (!chunk.is_empty()).then(|| chunk.into())
    })
}

/// A life of small payments, the same on every visit.
struct Ledger {
    seed: u32,
    day: u32,
    balance: i64,
}

struct Row {
    day: u32,
    movement: &'static str,
    account: String,
    /// In cents, like the balance after it.
    amount: i64,
    balance: i64,
}

impl Ledger {
    fn opened() -> Self {
        Self {
            seed: 1887,
            day: 0,
            balance: 125_000,
        }
    }

    /// The constants are those of Numerical Recipes; any would do.
    fn draw(&mut self, below: u32) -> u32 {
        self.seed = self
            .seed
            .wrapping_mul(1_664_525)
            .wrapping_add(1_013_904_223);
        (self.seed >> 8) % below
    }

    /// Pay comes in when the purse is light.
    fn amount(&mut self) -> i64 {
        let cents = i64::from(self.draw(9_000)) + 100;
        if self.balance < 40_000 {
            cents + 150_000
        } else {
            -cents
        }
    }
}

impl Iterator for Ledger {
    type Item = Row;

    fn next(&mut self) -> Option<Row> {
        self.day += self.draw(3);
        let amount = self.amount();
        self.balance += amount;
        let movement = match amount {
            ..0 => SPENT[self.draw(SPENT.len() as u32) as usize],
            _ => "Pay, Societe Generique",
        };
        let (branch, holder) = (self.draw(10_000), self.draw(10_000));
        Some(Row {
            day: self.day,
            movement,
            account: format!("0009 {branch:04} {holder:04}"),
            amount,
            balance: self.balance,
        })
    }
}

impl Row {
    /// Months of 28 days, twelve of them a year: nobody ever complained.
    fn date(&self) -> String {
        let (year, month, day) = (
            1998 + self.day / 336,
            self.day % 336 / 28 + 1,
            self.day % 28 + 1,
        );
        format!("{month:02}/{day:02}/{year}")
    }

    fn write_html(&self, html: &mut String, index: usize) {
        let shade = if index.is_multiple_of(2) {
            "#FFFFFF"
        } else {
            "#F4F1E6"
        };
        let (open, close) = match self.amount {
            ..0 => ("<FONT COLOR=#CC0000>", "</FONT>"),
            _ => ("", ""),
        };
        let (date, amount, balance) = (self.date(), money(self.amount), money(self.balance));
        let Self {
            movement, account, ..
        } = self;
        let _ = write!(
            html,
            "<TR BGCOLOR={shade} VALIGN=top>\n\
             <TD CLASS=cell NOWRAP><A NAME=m{index}></A><FONT FACE=\"Arial,Helvetica\" SIZE=2>{date}</FONT>\n\
             <TD CLASS=cell><FONT FACE=\"Arial,Helvetica\" SIZE=2>{movement}</FONT>\n\
             <TD CLASS=\"cell account-number\" NOWRAP>{account}\n\
             <TD CLASS=money>{open}{amount}{close}\n\
             <TD CLASS=money>{balance}\n"
        );
    }
}

fn money(cents: i64) -> String {
    let sign = if cents < 0 { "-" } else { "" };
    let cents = cents.abs();
    format!("{sign}{}.{:02}", cents / 100, cents % 100)
}

const MOVEMENTS: &[u8] = b"<!-- movements -->";
const SPENT: [&str; 8] = [
    "Corner Grocery, Springfield",
    "Video rental, late fee",
    "Gasoline, Route 9",
    "Telephone Co., long distance",
    "Cash machine, Main Street branch",
    "Cafe corner, Main Street branch",
    "Internet by the hour",
    "Check no. 1187",
];
/// Lines that the bank's program prints between two flushes.
const ROWS_PER_CHUNK: usize = 40;
const CSV_ROWS: usize = 400;
