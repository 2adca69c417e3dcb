//! What a connection may set, and what it is shown when it asks.
//!
//! Settings are the connection's own and reach no further: some shape how values are written, the
//! others are only kept because clients ask for what they set. The rest of PostgreSQL's settings
//! have the values below, whatever a client sets.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use datafusion_postgres::pgwire::types::format::FormatOptions;

use super::fault::Fault;
use crate::query::POSTGRES_VERSION;

/// Bytes of a setting's value.
const LONGEST_VALUE: usize = 1_000;

/// Bytes of a name, as PostgreSQL keeps it.
const LONGEST_NAME: usize = 63;

/// Settings that are a connection's own, with what they are at first.
const OWN: [(&str, &str); 8] = [
    ("application_name", ""),
    ("bytea_output", "hex"),
    ("DateStyle", "ISO, YMD"),
    ("extra_float_digits", "1"),
    ("IntervalStyle", "postgres"),
    ("search_path", "chi_tieu"),
    ("statement_timeout", "0"),
    ("TimeZone", "Etc/UTC"),
];

/// Settings that are what they are.
const FIXED: [(&str, &str); 19] = [
    ("client_encoding", "UTF8"),
    ("client_min_messages", "notice"),
    ("default_transaction_isolation", "read committed"),
    ("default_transaction_read_only", "on"),
    ("idle_in_transaction_session_timeout", "0"),
    ("in_hot_standby", "off"),
    ("integer_datetimes", "on"),
    ("is_superuser", "off"),
    ("lc_collate", "C.UTF-8"),
    ("lc_ctype", "C.UTF-8"),
    ("lock_timeout", "0"),
    ("max_identifier_length", "63"),
    ("max_index_keys", "32"),
    ("row_security", "off"),
    ("scram_iterations", "4096"),
    ("server_encoding", "UTF8"),
    ("standard_conforming_strings", "on"),
    ("transaction_isolation", "read committed"),
    ("transaction_read_only", "on"),
];

/// Settings that a client is told of when it logs in; of its own, also when they change.
const TOLD: [&str; 15] = [
    "application_name",
    "client_encoding",
    "DateStyle",
    "default_transaction_read_only",
    "in_hot_standby",
    "integer_datetimes",
    "IntervalStyle",
    "is_superuser",
    "scram_iterations",
    "search_path",
    "server_encoding",
    "server_version",
    "session_authorization",
    "standard_conforming_strings",
    "TimeZone",
];

/// The settings of one connection.
pub(super) struct Settings {
    user: String,
    /// As the log-in left them.
    first: BTreeMap<&'static str, String>,
    now: BTreeMap<&'static str, String>,
    /// What `SET LOCAL` hides until the transaction ends.
    hidden: BTreeMap<&'static str, String>,
}

impl Settings {
    /// Those of `user`, with what its client wants from the start. What cannot be is left out.
    pub(super) fn new(user: &str, wanted: &[(String, String)]) -> Self {
        let own: BTreeMap<_, _> =
            OWN.iter().map(|(name, value)| (*name, (*value).into())).collect();
        let (first, hidden) = (own.clone(), BTreeMap::new());
        let mut settings = Self { user: user.to_owned(), first, now: own, hidden };
        for (name, value) in wanted {
            if name == "options" {
                for (name, value) in options(value) {
                    let _ = settings.set(name, Some(value), false);
                }
            } else {
                let _ = settings.set(name, Some(value), false);
            }
        }
        settings.first = settings.now.clone();
        settings
    }

    /// Sets `name` to `value`, or to what it was at first. Answers what the client is to be told
    /// beside that it is done.
    pub(super) fn set(
        &mut self,
        name: &str,
        value: Option<&str>,
        local: bool,
    ) -> Result<Option<(&'static str, String)>, Fault> {
        if name.to_lowercase().starts_with("datafusion.") {
            let text = format!("\"{name}\" cannot be set by a connection");
            return Err(Fault::new("25006", text));
        }
        // PostgreSQL's other settings are taken, and change nothing.
        let Some(name) = own(name) else { return Ok(None) };
        let Some(value) = value else { return Ok(self.restore(name)) };
        let value = self.checked(name, value)?;
        let before = self.now.insert(name, value.clone()).unwrap_or_default();
        if local {
            self.hidden.entry(name).or_insert(before);
        } else {
            self.hidden.remove(name);
        }
        Ok(TOLD.contains(&name).then_some((name, value)))
    }

    /// `name` as it was at first; answers what the client is to be told.
    pub(super) fn restore(&mut self, name: &str) -> Option<(&'static str, String)> {
        let name = own(name)?;
        let value = self.first.get(name).cloned().unwrap_or_default();
        self.hidden.remove(name);
        self.now.insert(name, value.clone());
        TOLD.contains(&name).then_some((name, value))
    }

    /// All settings as they were at first; answers what the client is to be told.
    pub(super) fn reset(&mut self) -> Vec<(&'static str, String)> {
        self.hidden.clear();
        let before = std::mem::replace(&mut self.now, self.first.clone());
        self.changed_since(&before)
    }

    /// What `SET LOCAL` hid comes back; answers what the client is to be told.
    pub(super) fn end_transaction(&mut self) -> Vec<(&'static str, String)> {
        let before = self.now.clone();
        self.now.append(&mut self.hidden);
        self.changed_since(&before)
    }

    fn changed_since(
        &self,
        before: &BTreeMap<&'static str, String>,
    ) -> Vec<(&'static str, String)> {
        let changed = self.now.iter().filter(|(name, value)| before.get(*name) != Some(value));
        let told = changed.filter(|(name, _)| TOLD.contains(name));
        told.map(|(name, value)| (*name, value.clone())).collect()
    }

    fn checked(&self, name: &str, value: &str) -> Result<String, Fault> {
        let value = shortened(value, LONGEST_VALUE);
        let wrong = || Fault::new("22023", format!("\"{value}\" is no value of \"{name}\""));
        let small = value.to_lowercase();
        match name {
            "application_name" => {
                let shown = value.chars().map(|c| if c.is_control() { '?' } else { c });
                Ok(shortened(&shown.collect::<String>(), LONGEST_NAME))
            }
            "bytea_output" if matches!(small.as_str(), "hex" | "escape") => Ok(small),
            "IntervalStyle" => {
                let known = ["postgres", "postgres_verbose", "sql_standard", "iso_8601"];
                known.contains(&small.as_str()).then_some(small).ok_or_else(wrong)
            }
            "bytea_output" => Err(wrong()),
            "extra_float_digits" => {
                let digits: i8 = small.trim().parse().map_err(|_| wrong())?;
                (-15..=3).contains(&digits).then(|| digits.to_string()).ok_or_else(wrong)
            }
            "DateStyle" => date_style(&small, self.of("DateStyle")).ok_or_else(wrong),
            "statement_timeout" => Ok(written(timeout(&small).ok_or_else(wrong)?)),
            _ => Ok(value.replace('\0', "?")),
        }
    }

    /// The name in PostgreSQL's own writing, and the value; `None` when there is no such setting.
    pub(super) fn show(&self, name: &str) -> Option<(&'static str, String)> {
        let same = |known: &&'static str| known.eq_ignore_ascii_case(name);
        if let Some(name) = own(name) {
            return Some((name, self.of(name).to_owned()));
        }
        if let Some((name, value)) = FIXED.iter().find(|(known, _)| same(known)) {
            return Some((*name, (*value).to_owned()));
        }
        match ["server_version", "server_version_num", "session_authorization"]
            .iter()
            .find(|n| same(n))
        {
            Some(&"server_version") => Some(("server_version", POSTGRES_VERSION.to_owned())),
            Some(&"server_version_num") => Some(("server_version_num", version_number())),
            Some(&name) => Some((name, self.user.clone())),
            None => None,
        }
    }

    /// All settings, in the order of their names.
    pub(super) fn all(&self) -> Vec<(&'static str, String)> {
        let computed = ["server_version", "server_version_num", "session_authorization"];
        let names = OWN.iter().chain(&FIXED).map(|(name, _)| *name).chain(computed);
        let mut all: Vec<_> = names.filter_map(|name| self.show(name)).collect();
        all.sort_by_key(|(name, _)| name.to_lowercase());
        all
    }

    /// What a client is told when it has logged in.
    pub(super) fn told(&self) -> Vec<(&'static str, String)> {
        TOLD.iter().filter_map(|name| self.show(name)).collect()
    }

    /// How long a statement may run; `None` where the client says nothing.
    pub(super) fn statement_timeout(&self) -> Option<Duration> {
        timeout(self.of("statement_timeout")).filter(|given| !given.is_zero())
    }

    /// How values are written as text.
    pub(super) fn format(&self) -> Arc<FormatOptions> {
        let mut format = FormatOptions::default();
        self.of("DateStyle").clone_into(&mut format.date_style);
        self.of("IntervalStyle").clone_into(&mut format.interval_style);
        self.of("bytea_output").clone_into(&mut format.bytea_output);
        if let Ok(digits) = self.of("extra_float_digits").parse() {
            format.extra_float_digits = digits;
        }
        Arc::new(format)
    }

    fn of(&self, name: &str) -> &str {
        self.now.get(name).map_or("", String::as_str)
    }
}

/// The name in PostgreSQL's own writing, if it is a connection's own.
fn own(name: &str) -> Option<&'static str> {
    OWN.iter().map(|(known, _)| *known).find(|known| known.eq_ignore_ascii_case(name))
}

/// `16.6` as `160006`.
fn version_number() -> String {
    let (major, minor) = POSTGRES_VERSION.split_once('.').unwrap_or((POSTGRES_VERSION, "0"));
    format!("{major}{minor:0>4}")
}

fn shortened(value: &str, most: usize) -> String {
    let mut end = value.len().min(most);
    while !value.is_char_boundary(end) {
        end -= 1;
    }
    value[..end].to_owned()
}

/// `-c name=value` and `--name=value`, as libpq's `options` holds them.
fn options(text: &str) -> impl Iterator<Item = (&str, &str)> {
    text.split_whitespace().filter_map(|word| {
        let word = word.strip_prefix("--").or_else(|| word.strip_prefix("-c")).unwrap_or(word);
        word.split_once('=')
    })
}

/// Style and order of days, months and years; what is not said stays as it is.
fn date_style(wanted: &str, now: &str) -> Option<String> {
    let (mut style, mut order) = now.split_once(", ").unwrap_or(("ISO", "YMD"));
    for word in wanted.split([',', ' ']).map(str::trim).filter(|word| !word.is_empty()) {
        match word {
            "iso" => style = "ISO",
            "sql" => style = "SQL",
            "german" => style = "German",
            "postgres" => style = "Postgres",
            "ymd" => order = "YMD",
            "dmy" | "euro" | "european" => order = "DMY",
            "mdy" | "us" | "noneuro" | "noneuropean" => order = "MDY",
            "default" => (style, order) = ("ISO", "YMD"),
            _ => return None,
        }
    }
    Some(format!("{style}, {order}"))
}

/// A number, of milliseconds unless a unit follows it; zero is no limit.
fn timeout(text: &str) -> Option<Duration> {
    let text = text.trim();
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let number: f64 = number.parse().ok()?;
    let milliseconds = match unit.trim() {
        "us" => 0.001,
        "" | "ms" => 1.0,
        "s" => 1_000.0,
        "min" => 60_000.0,
        "h" => 3_600_000.0,
        "d" => 86_400_000.0,
        _ => return None,
    };
    let total = (number * milliseconds).round();
    // As in PostgreSQL, whose own number is of 32 bits.
    (total <= f64::from(i32::MAX)).then(|| Duration::from_millis(total as u64))
}

/// In the largest unit that divides it, as PostgreSQL writes it.
fn written(timeout: Duration) -> String {
    let total = timeout.as_millis();
    let units = [("d", 86_400_000), ("h", 3_600_000), ("min", 60_000), ("s", 1_000), ("ms", 1)];
    let unit = units.iter().find(|(_, size)| total > 0 && total.is_multiple_of(*size));
    unit.map_or_else(|| "0".to_owned(), |(unit, size)| format!("{}{unit}", total / size))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(wanted: &[(&str, &str)]) -> Settings {
        let wanted: Vec<_> = wanted.iter().map(|(n, v)| ((*n).into(), (*v).into())).collect();
        Settings::new("an", &wanted)
    }

    fn shown(settings: &Settings, name: &str) -> String {
        settings.show(name).map(|(_, value)| value).unwrap()
    }

    #[test]
    fn timeouts_are_read_and_written_as_postgresql_does() {
        for (text, milliseconds, back) in [
            ("0", 0, "0"),
            ("250", 250, "250ms"),
            ("5000ms", 5_000, "5s"),
            ("5s", 5_000, "5s"),
            ("1.5 s", 1_500, "1500ms"),
            ("2min", 120_000, "2min"),
            ("2h", 7_200_000, "2h"),
            ("1d", 86_400_000, "1d"),
            ("1500us", 2, "2ms"),
        ] {
            let read = timeout(text).unwrap();
            assert_eq!((read.as_millis(), written(read).as_str()), (milliseconds, back), "{text}");
        }
        for text in ["", "s", "-1", "1 week", "1e9", "ten", "99999999999", "1.2.3"] {
            assert_eq!(timeout(text), None, "{text}");
        }
    }

    #[test]
    fn what_is_set_is_shown_and_goes_back() {
        let mut settings = settings(&[("DateStyle", "ISO"), ("application_name", "psql")]);
        assert_eq!(shown(&settings, "datestyle"), "ISO, YMD");
        let told = settings.set("datestyle", Some("German, DMY"), false).unwrap();
        assert_eq!(told, Some(("DateStyle", "German, DMY".to_owned())));
        assert_eq!(settings.format().date_style, "German, DMY");
        settings.set("statement_timeout", Some("1500"), false).unwrap();
        assert_eq!(settings.statement_timeout(), Some(Duration::from_millis(1_500)));
        settings.set("statement_timeout", Some("0"), false).unwrap();
        assert_eq!(settings.statement_timeout(), None);
        settings.set("application_name", Some("notebook\n"), false).unwrap();
        assert_eq!(shown(&settings, "application_name"), "notebook?");
        let told = settings.reset();
        assert_eq!(told.len(), 2, "{told:?}");
        assert_eq!(shown(&settings, "application_name"), "psql");
    }

    #[test]
    fn what_is_set_for_a_transaction_ends_with_it() {
        let mut settings = settings(&[("options", "-c statement_timeout=9s --search_path=kho")]);
        assert_eq!(shown(&settings, "search_path"), "kho");
        settings.set("statement_timeout", Some("1s"), true).unwrap();
        settings.set("statement_timeout", Some("2s"), true).unwrap();
        settings.set("TimeZone", Some("Asia/Ho_Chi_Minh"), true).unwrap();
        assert_eq!(shown(&settings, "statement_timeout"), "2s");
        let told = settings.end_transaction();
        assert_eq!(told, [("TimeZone", "Etc/UTC".to_owned())]);
        assert_eq!(shown(&settings, "statement_timeout"), "9s");
    }

    #[test]
    fn what_cannot_be_set_is_refused_or_changes_nothing() {
        let mut settings =
            settings(&[("statement_timeout", "for ever"), ("extra_float_digits", "3")]);
        assert_eq!(shown(&settings, "statement_timeout"), "0");
        for (name, value, code) in [
            ("statement_timeout", "x", "22023"),
            ("IntervalStyle", "x", "22023"),
            ("bytea_output", "x", "22023"),
            ("extra_float_digits", "4", "22023"),
            ("DateStyle", "ISO; DROP", "22023"),
            ("DataFusion.execution.batch_size", "1", "25006"),
        ] {
            let refused = settings.set(name, Some(value), false).unwrap_err();
            assert_eq!(refused.sqlstate(), code, "{name}");
        }
        assert_eq!(settings.set("server_version", Some("1"), false).unwrap(), None);
        assert_eq!(shown(&settings, "server_version"), POSTGRES_VERSION);
        assert_eq!(shown(&settings, "server_version_num"), "160006");
        assert_eq!(shown(&settings, "session_authorization"), "an");
        assert_eq!(settings.show("no_such_setting"), None);
        assert!(settings.all().iter().all(|(_, value)| !value.contains("DataFusion")));
    }
}
