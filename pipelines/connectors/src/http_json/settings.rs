//! What a contract says of a service's answers.

use crate::{Request, SourceError};

/// Rows on a page where nothing else is said, and at most.
pub(super) const SIZE: &str = "1000";
const MOST_ON_A_PAGE: u64 = 1_000_000;

/// How the pages of a table follow each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Paging {
    /// The first is all.
    None,
    /// Each has a number.
    Number { param: String, first: u64 },
    /// Each tells the cursor of the next.
    Cursor { param: String, next: String },
    /// Each has a header with the address of the next.
    Link,
}

/// Where parameters stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Carry {
    /// In the address.
    Query,
    /// In the body, as a form sends them.
    Form,
    /// In the body, as members of an object.
    Json,
}

/// What a setting begins with that is a parameter.
const PARAM: &str = "param.";

/// See the table in [`super`].
#[derive(Debug, Clone)]
pub(super) struct Settings {
    pub(super) rows: String,
    pub(super) paging: Paging,
    /// The parameter and how many rows are asked for.
    pub(super) size: Option<(String, u64)>,
    pub(super) total: Option<String>,
    pub(super) since_param: Option<String>,
    pub(super) until_param: Option<String>,
    pub(super) fields_param: Option<String>,
    /// Parameters with a value of the contract.
    pub(super) fixed: Vec<(String, String)>,
    pub(super) carry: Carry,
}

impl Settings {
    pub(super) fn of(request: &Request) -> Result<Self, SourceError> {
        let text = |name: &str| {
            let value = request.settings.get(name).map(String::as_str);
            value.filter(|value| !value.is_empty()).map(str::to_owned)
        };
        let refused = |setting: &str, what: &str| SourceError::Setting {
            place: request.place.clone(),
            setting: setting.to_owned(),
            what: what.to_owned(),
        };
        let needed = |name: &str| text(name).ok_or_else(|| refused(name, "has to be set"));
        let number = |name: &str, otherwise: &str| {
            let number = request.setting(name, otherwise).parse::<u64>();
            number.map_err(|_| refused(name, "is no whole number"))
        };
        let paging = match request.setting("paging", "none") {
            "none" => Paging::None,
            "number" => Paging::Number {
                param: request.setting("page_param", "page").to_owned(),
                first: number("first", "1")?,
            },
            "cursor" => Paging::Cursor { param: needed("cursor_param")?, next: needed("next")? },
            "link" => Paging::Link,
            _ => return Err(refused("paging", "is none of none, number, cursor and link")),
        };
        let size_param = match paging {
            Paging::None => None,
            Paging::Number { .. } => Some(request.setting("size_param", "size").to_owned()),
            Paging::Cursor { .. } | Paging::Link => text("size_param"),
        };
        let size = number("size", SIZE)?;
        if size == 0 || size > MOST_ON_A_PAGE {
            return Err(refused("size", "is not between 1 and 1000000"));
        }
        let carry = match request.setting("method", "get") {
            "get" => Carry::Query,
            // A link is an address to get.
            "post_form" | "post_json" if paging == Paging::Link => {
                return Err(refused("method", "is `get` where pages follow by `link`"));
            }
            "post_form" => Carry::Form,
            "post_json" => Carry::Json,
            _ => return Err(refused("method", "is none of get, post_form and post_json")),
        };
        let fixed = request.settings.iter().filter_map(|(name, value)| {
            Some((name.strip_prefix(PARAM)?.to_owned(), value.clone()))
        });
        let settings = Self {
            rows: text("rows").unwrap_or_default(),
            paging,
            size: size_param.map(|param| (param, size)),
            total: text("total"),
            since_param: text("since_param"),
            until_param: text("until_param"),
            fields_param: text("fields_param"),
            fixed: fixed.collect(),
            carry,
        };
        match settings.doubled() {
            Some(name) => {
                Err(refused(&format!("{PARAM}{name}"), "is a parameter that another setting names"))
            }
            None => Ok(settings),
        }
    }

    /// A parameter of the contract that would be sent a second time.
    fn doubled(&self) -> Option<&str> {
        let paging = match &self.paging {
            Paging::Number { param, .. } | Paging::Cursor { param, .. } => Some(param),
            Paging::None | Paging::Link => None,
        };
        let size = self.size.as_ref().map(|(param, _)| param);
        let others = [&self.since_param, &self.until_param, &self.fields_param];
        let named: Vec<&String> = others.into_iter().flatten().chain(paging).chain(size).collect();
        self.fixed
            .iter()
            .map(|(name, _)| name)
            .find(|name| named.contains(name))
            .map(String::as_str)
    }

    /// The same with pages of one row, where the service takes a size.
    pub(super) fn with_one_row(mut self) -> Self {
        self.size = self.size.map(|(param, _)| (param, 1));
        self
    }
}
