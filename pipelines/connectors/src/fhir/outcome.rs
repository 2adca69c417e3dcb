//! What a server says of a failure in an `OperationOutcome`: its codes alone, for its texts may quote
//! a resource.

use std::collections::BTreeSet;

use serde_json::Value;

/// The codes of issues that FHIR R4 knows; others are not shown.
const CODES: [&str; 31] = [
    "business-rule",
    "code-invalid",
    "conflict",
    "deleted",
    "duplicate",
    "exception",
    "expired",
    "extension",
    "forbidden",
    "incomplete",
    "informational",
    "invalid",
    "invariant",
    "lock-error",
    "login",
    "multiple-matches",
    "no-store",
    "not-found",
    "not-supported",
    "processing",
    "required",
    "security",
    "structure",
    "suppressed",
    "throttled",
    "timeout",
    "too-costly",
    "too-long",
    "transient",
    "unknown",
    "value",
];

/// What outcomes tell.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Issues {
    /// Issues of the severity `error` or `fatal`.
    pub(super) errors: u64,
    /// Issues of a lesser severity.
    pub(super) others: u64,
    codes: BTreeSet<&'static str>,
}

impl Issues {
    /// The codes of the errors, as part of a sentence: ` (processing, timeout)`.
    pub(super) fn codes(&self) -> String {
        if self.codes.is_empty() {
            return String::new();
        }
        format!(" ({})", self.codes.iter().copied().collect::<Vec<_>>().join(", "))
    }

    fn add(&mut self, outcome: &Value) {
        for issue in outcome["issue"].as_array().into_iter().flatten() {
            if !matches!(issue["severity"].as_str(), Some("error" | "fatal")) {
                self.others += 1;
                continue;
            }
            self.errors += 1;
            let code = issue["code"].as_str();
            self.codes.extend(CODES.iter().find(|known| code == Some(**known)));
        }
    }
}

/// Whether an answer is an outcome.
pub(super) fn is_outcome(answer: &Value) -> bool {
    answer["resourceType"] == "OperationOutcome"
}

/// The issues of one answer; none where it is no outcome.
pub(super) fn of_answer(body: &[u8]) -> Issues {
    let mut issues = Issues::default();
    if let Ok(answer) = serde_json::from_slice::<Value>(body) {
        issues.add(&answer);
    }
    issues
}

/// The issues of a file of outcomes, one a line; `None` where a line is something else.
pub(super) fn of_file(bytes: &[u8]) -> Option<Issues> {
    let mut issues = Issues::default();
    for line in bytes.split(|byte| *byte == b'\n') {
        if line.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        let outcome = serde_json::from_slice::<Value>(line).ok().filter(is_outcome)?;
        issues.add(&outcome);
    }
    Some(issues)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_counted_and_only_known_codes_are_told() {
        let file = br#"{"resourceType":"OperationOutcome","issue":[{"severity":"warning","code":"value"}]}

{"resourceType":"OperationOutcome","issue":[{"severity":"error","code":"timeout"},{"severity":"fatal","code":"Nguyen"}]}"#;
        let issues = of_file(file).unwrap();
        assert_eq!((issues.errors, issues.others), (2, 1));
        assert_eq!(issues.codes(), " (timeout)");
        assert_eq!(of_file(b"\n"), Some(Issues::default()));
        assert_eq!(of_file(br#"{"resourceType":"Patient"}"#), None);
    }
}
