//! Pages made from a seed: the same bytes on every machine. They look like what an old enterprise
//! site sends: nested blocks, tables, forms, inline scripts and styles, and text that compresses
//! two- to fourfold.

use std::fmt::Write as _;

/// What is masked in the rows with masks; the rows with five take the first five.
pub const SELECTORS: [&str; 20] = [
    "#ssn",
    ".account-number",
    "input[type=password]",
    "[autocomplete^='cc-']",
    "form.declaration textarea",
    "td.amount",
    ".income",
    "#policy-holder",
    "input[name=iban]",
    "input[name^='tax']",
    ".address .street",
    "span.phone",
    "[data-private]",
    ".diagnosis",
    "table.payments td.payee",
    "select[name=doctor]",
    "img.signature",
    ".e-mail",
    "li.message",
    "fieldset.contact input",
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Size {
    K2,
    K64,
    M1,
    M10,
}

impl Size {
    pub const ALL: [Self; 4] = [Self::K2, Self::K64, Self::M1, Self::M10];

    pub fn bytes(self) -> usize {
        match self {
            Self::K2 => 2 << 10,
            Self::K64 => 64 << 10,
            Self::M1 => 1 << 20,
            Self::M10 => 10 << 20,
        }
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::K2 => "2k",
            Self::K64 => "64k",
            Self::M1 => "1m",
            Self::M10 => "10m",
        }
    }
}

pub struct Page {
    pub html: Vec<u8>,
    /// How many elements the first five, and all twenty, of the selectors match.
    pub masked_by_5: usize,
    pub masked_by_20: usize,
}

impl Page {
    pub fn masked_by(&self, selectors: usize) -> usize {
        match selectors {
            0 => 0,
            5 => self.masked_by_5,
            _ => self.masked_by_20,
        }
    }
}

pub fn generate(size: Size, seed: u64) -> Page {
    let mut writer = Writer::new(seed ^ size.bytes() as u64);
    writer.opening();
    // What closes the page, and the filling up to the last byte.
    let reserve = CLOSING.len() + "<!--  -->\n".len();
    while writer.section_fits(size.bytes() - reserve) {}
    let filling = size.bytes() - reserve - writer.html.len();
    let _ = writeln!(writer.html, "<!-- {} -->", ".".repeat(filling));
    writer.html.push_str(CLOSING);
    Page {
        html: writer.html.into_bytes(),
        masked_by_5: writer.masked_by_5,
        masked_by_20: writer.masked_by_20,
    }
}

const CLOSING: &str = "</div>\n<div id=\"footer\"><p class=\"small\">All rates without warranty. \
    <a href=\"/imprint.asp\">Imprint</a> | <a href=\"/privacy.asp\">Privacy</a></p></div>\n\
    </body>\n</html>\n";

struct Writer {
    html: String,
    state: u64,
    words: Vec<String>,
    masked_by_5: usize,
    masked_by_20: usize,
}

impl Writer {
    fn new(seed: u64) -> Self {
        let mut writer = Self {
            html: String::new(),
            state: seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1,
            words: Vec::new(),
            masked_by_5: 0,
            masked_by_20: 0,
        };
        writer.words = (0..1_500).map(|_| writer.new_word()).collect();
        writer
    }

    /// xorshift64*
    fn random(&mut self, below: usize) -> usize {
        self.state ^= self.state >> 12;
        self.state ^= self.state << 25;
        self.state ^= self.state >> 27;
        let high = self.state.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33;
        usize::try_from(high).unwrap_or(0) % below
    }

    fn new_word(&mut self) -> String {
        const SYLLABLES: [&str; 24] = [
            "ac", "count", "ba", "lan", "cre", "dit", "de", "fer", "in", "sur", "mort", "gage",
            "pay", "ment", "po", "li", "cy", "ra", "te", "ser", "vice", "ter", "tion", "val",
        ];
        let length = 1 + self.random(4);
        (0..length)
            .map(|_| SYLLABLES[self.random(SYLLABLES.len())])
            .collect()
    }

    fn words(&mut self, count: usize) -> String {
        let mut text = String::new();
        for index in 0..count {
            // Small numbers more often, as with words of a language.
            let skew = self.random(self.words.len()) * self.random(1_000) / 1_000;
            if index > 0 {
                text.push(' ');
            }
            text.push_str(&self.words[skew]);
        }
        text
    }

    fn number(&mut self, digits: usize) -> String {
        (0..digits)
            .map(|_| char::from(b'0' + u8::try_from(self.random(10)).unwrap_or(0)))
            .collect()
    }

    /// The element that follows is matched by one of the first five selectors.
    fn private(&mut self) {
        self.masked_by_5 += 1;
        self.masked_by_20 += 1;
    }

    /// The element that follows is matched by one of the other fifteen.
    fn rather_private(&mut self) {
        self.masked_by_20 += 1;
    }

    fn opening(&mut self) {
        let title = self.words(4);
        let ssn = self.number(9);
        self.private();
        let _ = write!(
            self.html,
            "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<title>{title}</title>\n\
             <link rel=\"stylesheet\" href=\"/css/main.css\">\n\
             <style>\n#footer {{ color: #666 }} .row > .cell {{ float: left }}\n</style>\n\
             <script>\nvar page = {{ start: new Date(), name: \"overview\" }};\n\
             if (page.start < 1 && document.all) {{ document.write('<div class=\"old\"></div>'); }}\n</script>\n\
             </head>\n<body class=\"portal\">\n\
             <div id=\"head\"><a href=\"/\"><img src=\"/img/logo.gif\" alt=\"Home\" width=\"120\" height=\"40\"></a>\n\
             <p>Signed in: <b id=\"ssn\">{ssn}</b></p></div>\n<div id=\"main\">\n"
        );
    }

    /// Writes one more section, unless the page would grow past `limit`.
    fn section_fits(&mut self, limit: usize) -> bool {
        let before = (self.html.len(), self.masked_by_5, self.masked_by_20);
        match self.random(8) {
            0 => self.table(),
            1 => self.form(),
            2 => self.script(),
            3 => self.style(),
            4 => self.list(),
            _ => self.blocks(),
        }
        if self.html.len() <= limit {
            return true;
        }
        self.html.truncate(before.0);
        (self.masked_by_5, self.masked_by_20) = (before.1, before.2);
        false
    }

    fn blocks(&mut self) {
        let depth = 1 + self.random(4);
        for level in 0..depth {
            let _ = writeln!(
                self.html,
                "<div class=\"box level-{level}\" data-track=\"b{level}\">"
            );
        }
        let heading = self.words(4);
        let _ = writeln!(self.html, "<h2>{heading}</h2>");
        for _ in 0..1 + self.random(3) {
            let (first, link, last) = (self.words(18), self.words(2), self.words(22));
            let target = self.number(5);
            let _ = writeln!(
                self.html,
                "<p class=\"text\">{first}, <a href=\"/info/page.asp?id={target}&amp;lang=en\">{link}</a> {last}.</p>"
            );
        }
        if self.random(4) == 0 {
            let (account, phone) = (self.number(10), self.number(8));
            self.private();
            self.rather_private();
            let _ = writeln!(
                self.html,
                "<p>Account <span class=\"mono account-number\">{account}</span>, call <span class=\"phone\">{phone}</span></p>"
            );
        }
        if self.random(6) == 0 {
            let (street, income, mail) = (self.words(2), self.number(5), self.words(1));
            for _ in 0..3 {
                self.rather_private();
            }
            let _ = writeln!(
                self.html,
                "<div class=\"address\"><span class=\"street\">{street}</span> <em class=\"income\">{income}</em> \
                 <a class=\"e-mail\" href=\"mailto:x@bank.example\">{mail}</a></div>"
            );
        }
        self.html.push_str(&"</div>\n".repeat(depth));
    }

    fn table(&mut self) {
        self.html.push_str(
            "<table class=\"payments\" width=\"100%\">\n<thead><tr><th>Date</th><th>Payee</th><th>Amount</th></tr></thead>\n<tbody>\n",
        );
        for row in 0..4 + self.random(8) {
            let (day, payee, amount) = (1 + self.random(28), self.words(3), self.number(4));
            self.rather_private();
            self.rather_private();
            let shade = if row % 2 == 0 { "even" } else { "odd" };
            let _ = writeln!(
                self.html,
                "<tr class=\"{shade}\"><td>2024-03-{day:02}</td><td class=\"payee\">{payee}</td><td class=\"amount\" align=\"right\">{amount}.00</td></tr>"
            );
        }
        self.html.push_str("</tbody>\n</table>\n");
    }

    fn form(&mut self) {
        let (number, label, question, choice) =
            (self.number(4), self.words(2), self.words(9), self.number(2));
        for _ in 0..3 {
            self.private(); // cc-number, password, textarea
        }
        for _ in 0..5 {
            self.rather_private(); // iban, two contact inputs, select, tax
        }
        let _ = write!(
            self.html,
            "<form class=\"declaration\" action=\"/forms/save{number}.asp\" method=\"post\">\n\
             <input type=\"hidden\" name=\"token\" value=\"{number}\">\n\
             <label for=\"f{number}\">{label}</label> <input type=\"text\" id=\"f{number}\" name=\"iban\" value=\"\">\n\
             <input type=\"text\" name=\"card\" autocomplete=\"cc-number\"> <input type=\"password\" name=\"pin\" maxlength=\"8\">\n\
             <fieldset class=\"contact\"><legend>Contact</legend><input type=\"text\" name=\"first\"><input type=\"text\" name=\"last\"></fieldset>\n\
             <select name=\"doctor\"><option value=\"1\">One</option><option value=\"{choice}\" selected>Other</option></select>\n\
             <input type=\"text\" name=\"tax{choice}\" size=\"12\">\n\
             <p>{question}?</p>\n<textarea name=\"reason\" rows=\"4\" cols=\"60\">{label} <b> is text here</textarea>\n\
             <input type=\"submit\" value=\"Send\">\n</form>\n"
        );
    }

    fn script(&mut self) {
        let (id, text, other) = (self.number(4), self.words(6), self.words(8));
        let _ = write!(
            self.html,
            "<script type=\"text/javascript\">\n// {other}\nfunction show{id}(a, b) {{\n  for (var i = 0; i < a.length && i < b; i++) {{\n\
             \x20   if (a[i] > 0) {{ document.getElementById('f{id}').innerHTML += '<b>{text}<\\/b>'; }}\n  }}\n\
             \x20 return \"<table class='payments'>\" + a.join('</td><td>') + \"</table>\";\n}}\n</script>\n"
        );
    }

    fn style(&mut self) {
        let id = self.number(3);
        let _ = write!(
            self.html,
            "<style type=\"text/css\">\n.box.level-{id} > p {{ margin: 0 0 {id}px; font: 12px/1.4 Verdana, Arial, sans-serif; }}\n\
             .old{id} {{ filter: progid:DXImageTransform.Microsoft.gradient(startColorstr='#80{id}', endColorstr='#00000000'); }}\n</style>\n"
        );
    }

    fn list(&mut self) {
        self.html.push_str("<ul class=\"messages\">\n");
        for _ in 0..2 + self.random(5) {
            let text = self.words(11);
            let secret = self.random(3) == 0;
            let class = if secret { "message" } else { "item" };
            if secret {
                self.rather_private();
            }
            let _ = writeln!(
                self.html,
                "<li class=\"{class}\"><img src=\"/img/dot.gif\" alt=\"\" width=\"5\" height=\"5\"> {text}</li>"
            );
        }
        self.html.push_str("</ul>\n");
    }
}
