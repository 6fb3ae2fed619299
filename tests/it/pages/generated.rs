/// Pages that are too large to be kept as files.
pub(super) fn generated(name: &str) -> Vec<u8> {
    let comment = |length: usize| format!("<!--{}-->\n", " -".repeat(length / 2));
    let behind_frames = "<html><head></head><frameset cols=*><frame src=/a></frameset></html>";
    match name {
        "attribute-1m" => format!("<p title='{}' class=secret>1", "<x>".repeat(350_000)),
        "attributes-10000" => {
            let attributes: String = (0..10_000).map(|n| format!(" a{n}={n}")).collect();
            format!("<p{attributes} class=secret>1</p>")
        }
        "comment-64k" => format!(
            "{}<html><head><title>a</title></head><body><p class=secret>1</p></body></html>",
            comment(64 * 1024)
        ),
        "end-tags-20000" => "<a class=secret></b>".repeat(20_000),
        "frameset-behind-comment-64k" => comment(64 * 1024) + behind_frames,
        "frameset-behind-comment-200k" => comment(200 * 1024) + behind_frames,
        "nested-30000" => "<span class=secret>".repeat(30_000),
        "nested-80000" => "<span class=secret>".repeat(80_000),
        "tables-500" => "<table><tr><td class=secret>".repeat(500),
        other => panic!("{other} cannot be generated"),
    }
    .into_bytes()
}
