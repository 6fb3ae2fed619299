use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::*;

fn examples() -> Value {
    serde_json::from_str(include_str!("../../../tests/web/protocol.json")).unwrap()
}

/// Numbers compare as browsers compare them: there is one kind of them.
fn plain(value: &Value) -> Value {
    match value {
        Value::Number(number) => Value::from(number.as_f64().unwrap()),
        Value::Array(list) => list.iter().map(plain).collect(),
        Value::Object(map) => Value::Object(
            map.iter()
                .map(|(key, value)| (key.clone(), plain(value)))
                .collect(),
        ),
        other => other.clone(),
    }
}

/// Reads what the other side would write, and writes what it would read.
fn check<T: DeserializeOwned + Serialize>(example: &Value) {
    let text = example.to_string();
    let read: T = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{text}: {error}"));
    let written = serde_json::to_value(&read).unwrap();
    assert_eq!(plain(&written), plain(example));
}

fn all(value: &Value) -> Vec<&Value> {
    value.as_array().unwrap().iter().collect()
}

#[test]
fn reads_and_writes_every_message() {
    let examples = examples();
    for (name, list) in examples["visitor"].as_object().unwrap() {
        for example in all(list) {
            assert_eq!(example["type"], *name);
            check::<VisitorMessage>(example);
        }
    }
    for (name, list) in examples["backend"].as_object().unwrap() {
        for example in all(list) {
            assert_eq!(example["type"], *name);
            check::<BackendMessage>(example);
        }
    }
}

#[test]
fn reads_and_writes_what_goes_by_http() {
    let examples = examples();
    let start = &examples["start"];
    all(&start["request"])
        .into_iter()
        .for_each(check::<StartRequest>);
    all(&start["reply"])
        .into_iter()
        .for_each(check::<StartReply>);
    all(&start["refusal"])
        .into_iter()
        .for_each(check::<Refusal>);
    all(&examples["end"])
        .into_iter()
        .for_each(check::<EndRequest>);
    all(&examples["settings"])
        .into_iter()
        .for_each(check::<SettingsReply>);
}

#[test]
fn knows_the_close_codes() {
    use CloseCode::*;
    let examples = examples();
    let codes = examples["close"].as_object().unwrap();
    let ours = [
        ("NAVIGATING", Navigating),
        ("DONE", Done),
        ("PROTOCOL", Protocol),
        ("UNKNOWN", Unknown),
        ("REPLACED", Replaced),
        ("ENDED", Ended),
        ("LIMIT", Limit),
    ];
    assert_eq!(codes.len(), ours.len());
    for (name, code) in ours {
        assert_eq!(codes[name], code.as_u16(), "{name}");
    }
}

#[test]
fn reads_the_heads_of_frames() {
    let examples = examples();
    for example in all(&examples["frames"]) {
        let head = FrameHead::read(&bytes(&example["hex"])).unwrap();
        let kind = match head.kind {
            FrameKind::Events => 1,
            FrameKind::Snapshot => 2,
        };
        assert_eq!(example["kind"], kind);
        assert_eq!(example["page"], head.page);
        assert_eq!(example["sequence"], head.sequence);
    }
    for bad in all(&examples["badFrames"]) {
        let frame = bytes(bad);
        // A head with nothing behind it is no frame, either.
        assert_eq!(FrameHead::read(&frame), None, "{bad}");
    }
    let mut long = vec![0; FRAME_BYTES_MAX + 1];
    long[0] = 1;
    assert_eq!(FrameHead::read(&long), None);
    long.pop();
    assert!(FrameHead::read(&long).is_some());
}

fn bytes(hex: &Value) -> Vec<u8> {
    let digits = hex.as_str().unwrap().as_bytes();
    let pairs = digits.chunks(2).map(|pair| {
        let pair = std::str::from_utf8(pair).unwrap();
        u8::from_str_radix(pair, 16).unwrap()
    });
    pairs.collect()
}

#[test]
fn refuses_what_lacks_a_field_or_has_another_type() {
    for bad in [
        "",
        "[]",
        "{}",
        r#"{"type":"bogus"}"#,
        r#"{"type":"pause"}"#,
        r#"{"type":"pause","paused":"yes"}"#,
        r#"{"type":"message","name":"a"}"#,
        r#"{"type":"refuse","code":"other","msg":""}"#,
        r#"{"type":"location","url":7}"#,
        r#"{"type":"hello","version":1}"#,
        r#"{"type":"control","enabled":1}"#,
    ] {
        assert!(
            serde_json::from_str::<VisitorMessage>(bad).is_err(),
            "{bad}"
        );
    }
    let more = r#"{"type":"focus","later":{"a":[1]}}"#;
    assert_eq!(
        serde_json::from_str::<VisitorMessage>(more).unwrap(),
        VisitorMessage::Focus
    );
}
