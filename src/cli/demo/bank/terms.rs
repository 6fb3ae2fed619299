use std::fmt::Write;

/// The bank's terms and conditions: one page of PDF 1.4, made here so that its offsets are right.
pub(super) fn pdf() -> Vec<u8> {
    let content = page_content();
    let objects = [
        "<< /Type /Catalog /Pages 2 0 R >>".to_owned(),
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>".to_owned(),
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R \
         /Resources << /Font << /F1 5 0 R >> >> >>"
            .to_owned(),
        format!(
            "<< /Length {} >>\nstream\n{content}\nendstream",
            content.len()
        ),
        "<< /Type /Font /Subtype /Type1 /BaseFont /Times-Roman >>".to_owned(),
    ];
    assemble(&objects).into_bytes()
}

/// Header, objects, the table of where they start, trailer.
fn assemble(objects: &[String]) -> String {
    let mut file = String::from("%PDF-1.4\n");
    let mut table = String::from("0000000000 65535 f \n");
    for (index, object) in objects.iter().enumerate() {
        let _ = writeln!(table, "{:010} 00000 n ", file.len());
        let _ = write!(file, "{} 0 obj\n{object}\nendobj\n", index + 1);
    }
    let (start, size) = (file.len(), objects.len() + 1);
    let _ = write!(
        file,
        "xref\n0 {size}\n{table}trailer\n<< /Size {size} /Root 1 0 R >>\nstartxref\n{start}\n%%EOF\n"
    );
    file
}

fn page_content() -> String {
    let mut content = String::from("BT /F1 24 Tf 72 700 Td (Terms and Conditions) Tj");
    for line in LINES {
        let _ = write!(content, " /F1 12 Tf 0 -28 Td ({line}) Tj");
    }
    content.push_str(" ET");
    content
}

/// Without brackets and backslashes, which would have to be escaped.
const LINES: [&str; 4] = [
    "1. First Example Bank is a name made up for demonstrations.",
    "2. Whoever banks with us is our neighbor.",
    "3. An adviser who looks at a page with you sees what you see, but no secrets.",
    "4. There is no small print.",
];
