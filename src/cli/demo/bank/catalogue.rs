use super::statement;

/// One address of the bank that answers to GET.
#[derive(Clone, Copy, Debug)]
pub struct PageInfo {
    pub path: &'static str,
    /// What it is, for a person.
    pub about: &'static str,
    /// What the bank answers with.
    pub status: u16,
    /// Fields that a browser sends when it asks for this address in the way the site means.
    pub request_headers: &'static [(&'static str, &'static str)],
    /// What the edge makes of it under the demo's rules.
    pub expect: Expect,
}

/// What the edge should make of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expect {
    /// Exactly one tag, with these groups; `masks` tells how many elements match which selector.
    Tagged {
        group: u32,
        additional: &'static [u32],
        masks: &'static [(&'static str, usize)],
    },
    /// Not a byte is changed, for the reason given.
    Untouched(&'static str),
}

impl PageInfo {
    const fn tagged(
        path: &'static str,
        about: &'static str,
        groups: Groups,
        masks: &'static [(&'static str, usize)],
    ) -> Self {
        let Groups { group, additional } = groups;
        Self {
            path,
            about,
            status: 200,
            request_headers: &[],
            expect: Expect::Tagged {
                group,
                additional,
                masks,
            },
        }
    }

    const fn untouched(path: &'static str, about: &'static str, reason: &'static str) -> Self {
        Self {
            path,
            about,
            status: 200,
            request_headers: &[],
            expect: Expect::Untouched(reason),
        }
    }

    const fn status(self, status: u16) -> Self {
        Self { status, ..self }
    }

    const fn asked_with(self, request_headers: &'static [(&'static str, &'static str)]) -> Self {
        Self {
            request_headers,
            ..self
        }
    }
}

#[derive(Clone, Copy)]
struct Groups {
    group: u32,
    additional: &'static [u32],
}

const RETAIL: Groups = Groups {
    group: 15687,
    additional: &[],
};
const MORTGAGE: Groups = Groups {
    group: 15687,
    additional: &[15688, 15690],
};
const CHAT: Groups = Groups {
    group: 15691,
    additional: &[],
};

const PASSWORD: &str = "input[type=password]";
const ACCOUNT_NUMBER: &str = ".account-number";

/// Everything that the bank serves.
pub const PAGES: &[PageInfo] = &[
    PageInfo::tagged(
        "/",
        "home, windows-1252 undeclared",
        RETAIL,
        &[(PASSWORD, 1)],
    ),
    PageInfo::tagged("/frames.html", "frameset", RETAIL, &[]),
    PageInfo::tagged("/frames/menu.html", "frame: list of branches", RETAIL, &[]),
    PageInfo::tagged("/frames/main.html", "frame: branches", RETAIL, &[]),
    PageInfo::tagged(
        "/about/xhtml.html",
        "XHTML 1.0 Transitional as text/html",
        RETAIL,
        &[(ACCOUNT_NUMBER, 1)],
    ),
    PageInfo::tagged("/login", "sign-in form", RETAIL, &[(PASSWORD, 1)]),
    PageInfo::tagged(
        "/account",
        "accounts, chunked",
        RETAIL,
        &[
            (ACCOUNT_NUMBER, 5),
            ("#ssn", 1),
            ("[autocomplete^='cc-']", 1),
        ],
    ),
    PageInfo::tagged(
        "/account/statement",
        "statement, 1.5 MB, streamed",
        RETAIL,
        &[(ACCOUNT_NUMBER, statement::ROWS + 1)],
    ),
    PageInfo::tagged(
        "/mortgage/",
        "mortgages, strong ETag, CRLF",
        MORTGAGE,
        &[(ACCOUNT_NUMBER, 1)],
    ),
    PageInfo::tagged(
        "/mortgage/apply",
        "mortgage application",
        MORTGAGE,
        &[
            (ACCOUNT_NUMBER, 1),
            ("#ssn", 1),
            (".income", 3),
            ("form#declaration textarea", 1),
        ],
    ),
    PageInfo::untouched(
        "/mortgage/calculators/payment",
        "payment calculator",
        "the rule says inject = false",
    ),
    PageInfo::tagged("/chat", "chat, entrance", CHAT, &[]),
    PageInfo::tagged("/chat/room", "chat room", CHAT, &[(ACCOUNT_NUMBER, 1)]),
    PageInfo::tagged("/markets", "live quotes", RETAIL, &[]),
    PageInfo::tagged("/search?q=annual%20report", "search, chunked", RETAIL, &[]),
    PageInfo::tagged("/missing", "not found", RETAIL, &[]).status(404),
    PageInfo::tagged("/error", "server error", RETAIL, &[]).status(500),
    PageInfo::untouched("/old-home", "redirect to the home page", "no page").status(302),
    PageInfo::untouched("/fragment/rates", "rates, fetched by script", "fragment")
        .asked_with(&[("x-requested-with", "XMLHttpRequest")]),
    PageInfo::untouched("/events", "event stream, endless", "not HTML"),
    PageInfo::untouched("/download/terms.pdf", "PDF to keep", "not HTML"),
    PageInfo::untouched("/download/statement.csv", "CSV to keep", "not HTML"),
    PageInfo::untouched("/download/receipt.html", "HTML to keep", "attachment"),
    PageInfo::untouched("/bank.css", "style sheet, Last-Modified only", "not HTML"),
    PageInfo::untouched("/js/bank.js", "script", "not HTML"),
    PageInfo::untouched("/js/rates.js", "script", "not HTML"),
    PageInfo::untouched("/favicon.ico", "icon", "not HTML"),
    PageInfo::untouched("/images/logo.gif", "image, strong ETag", "not HTML"),
    PageInfo::untouched("/images/masthead.gif", "image", "not HTML"),
    PageInfo::untouched("/images/small.gif", "image", "not HTML"),
    PageInfo::untouched("/images/house.gif", "image", "not HTML"),
    PageInfo::untouched("/images/calculator.gif", "image", "not HTML"),
    PageInfo::untouched("/images/signin.gif", "image", "not HTML"),
    PageInfo::untouched("/images/go.gif", "image", "not HTML"),
    PageInfo::untouched("/images/bullet.gif", "image", "not HTML"),
    PageInfo::untouched("/images/lock.gif", "image", "not HTML"),
    PageInfo::untouched("/images/spacer.gif", "image", "not HTML"),
];
