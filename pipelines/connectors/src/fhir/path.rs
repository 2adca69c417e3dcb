//! Paths into one resource: from a column's name to the text of its cell.
//!
//! A path is compiled once and never guesses. Where it could mean several values it refuses, and
//! says what to write instead.

use std::borrow::Cow;

use super::json::Json;

/// What stands between the values that `[*]` joins.
const BETWEEN: &str = ";";

/// A compiled path.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Path {
    steps: Vec<Step>,
    /// Whether only the id of a reference is wanted.
    id: bool,
}

/// A member, and which of its values.
#[derive(Debug, PartialEq, Eq)]
struct Step {
    member: String,
    pick: Pick,
}

#[derive(Debug, PartialEq, Eq)]
enum Pick {
    /// The value itself, or the only one of a list.
    Only,
    /// `[x]`: the only member whose name begins so and goes on with a capital letter.
    Choice,
    /// `[*]`: all values of a list.
    Each,
    /// `[0]`: the value at that place of a list.
    At(usize),
    /// `[system=…]`: the first value of a list that has all these members.
    Where(Vec<(String, String)>),
}

impl Path {
    /// Compiles a path; what is wrong with it otherwise.
    pub(super) fn parse(text: &str) -> Result<Self, &'static str> {
        let (text, id) = match text.strip_suffix(".id()") {
            Some(before) => (before, true),
            None => (text, false),
        };
        let mut steps = Vec::new();
        let mut rest = text;
        loop {
            let (step, after) = step(rest)?;
            steps.push(step);
            if after.is_empty() {
                break;
            }
            rest = after.strip_prefix('.').ok_or("is no path: a point is missing")?;
        }
        let choice = |step: &Step| step.pick == Pick::Choice;
        if steps.iter().rev().skip(usize::from(!id)).any(choice) {
            return Err("is no path: `[x]` gives a plain value, so it can only be its end; to go \
                        into one type write the member itself, as in `valueQuantity.value`");
        }
        Ok(Self { steps, id })
    }

    /// The cell of a resource: `None` where a member is missing; what is wrong otherwise.
    pub(super) fn cell<'a>(
        &self,
        resource: &'a Json<'a>,
    ) -> Result<Option<Cow<'a, str>>, &'static str> {
        let mut found = Vec::new();
        walk(&self.steps, resource, &mut found)?;
        if self.id {
            found = found.into_iter().map(reference_id).collect::<Result<_, _>>()?;
        }
        Ok(match found.len() {
            0 => None,
            1 => found.pop(),
            _ => Some(Cow::Owned(found.join(BETWEEN))),
        })
    }
}

/// One step, and what follows it.
fn step(text: &str) -> Result<(Step, &str), &'static str> {
    let end = text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(text.len());
    let (member, mut rest) = text.split_at(end);
    if !member.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') {
        return Err("is no path: a member's name begins with a letter");
    }
    let mut pick = Pick::Only;
    while let Some(inside) = rest.strip_prefix('[') {
        let (inside, after) = inside.split_once(']').ok_or("is no path: a `[` is not closed")?;
        pick = match (pick, selector(inside)?) {
            (Pick::Only, one) => one,
            (Pick::Where(mut all), Pick::Where(more)) => {
                all.extend(more);
                Pick::Where(all)
            }
            _ => return Err("is no path: only selectors such as `[system=…]` may be several"),
        };
        rest = after;
    }
    Ok((Step { member: member.to_owned(), pick }, rest))
}

fn selector(inside: &str) -> Result<Pick, &'static str> {
    if let Some((member, value)) = inside.split_once('=') {
        let named = !member.is_empty() && member.chars().all(|c| c.is_ascii_alphanumeric());
        if !named || value.is_empty() {
            return Err("is no path: a selector is `[member=value]`");
        }
        return Ok(Pick::Where(vec![(member.to_owned(), value.to_owned())]));
    }
    match inside {
        "x" => Ok(Pick::Choice),
        "*" => Ok(Pick::Each),
        digits if !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()) => {
            digits.parse().map(Pick::At).map_err(|_| "is no path: a place in a list is too large")
        }
        _ => Err("is no path: a selector is `[0]`, `[*]`, `[x]` or `[member=value]`"),
    }
}

fn walk<'a>(
    steps: &[Step],
    value: &'a Json<'a>,
    found: &mut Vec<Cow<'a, str>>,
) -> Result<(), &'static str> {
    let Some((step, rest)) = steps.split_first() else {
        found.extend(scalar(value)?);
        return Ok(());
    };
    let members = match value {
        Json::Object(members) => members,
        Json::Null => return Ok(()),
        Json::Array(_) => return Err("meets a list within a list, which FHIR does not have"),
        _ => return Err("goes on behind a plain value"),
    };
    let own = if step.pick == Pick::Choice {
        choice(members, &step.member)?
    } else {
        members.iter().find(|(name, _)| *name == step.member).map(|(_, value)| value)
    };
    let Some(own) = own else { return Ok(()) };
    let list = match (own, &step.pick) {
        (Json::Array(list), Pick::Only) if list.len() > 1 => {
            return Err("meets a list of several; write which is meant, as in `[0]`, \
                        `[system=…]`, or `[*]` for all of them");
        }
        (Json::Array(list), _) => list.as_slice(),
        (single, Pick::Only | Pick::Choice) => return walk(rest, single, found),
        (Json::Null, _) => return Ok(()),
        _ => return Err("selects from what is no list; leave the selector out"),
    };
    match &step.pick {
        Pick::Only | Pick::Choice | Pick::Each => {
            list.iter().try_for_each(|value| walk(rest, value, found))
        }
        Pick::At(place) => list.get(*place).map_or(Ok(()), |value| walk(rest, value, found)),
        Pick::Where(members) => {
            for value in list {
                if fits(value, members)? {
                    return walk(rest, value, found);
                }
            }
            Ok(())
        }
    }
}

/// The text of a plain value; none of `null`.
fn scalar<'a>(value: &'a Json<'a>) -> Result<Option<Cow<'a, str>>, &'static str> {
    match value {
        Json::Null => Ok(None),
        Json::Bool(truth) => Ok(Some(Cow::Borrowed(if *truth { "true" } else { "false" }))),
        Json::Number(text) => Ok(Some(Cow::Borrowed(text))),
        Json::String(text) => Ok(Some(Cow::Borrowed(text))),
        Json::Array(_) | Json::Object(_) => {
            Err("ends at a list or an object; go on to a plain value of it")
        }
    }
}

/// The only plain member `effectiveDateTime`, `effectiveInstant`, … of `effective[x]`.
fn choice<'a>(
    members: &'a [(Cow<'a, str>, Json<'a>)],
    begin: &str,
) -> Result<Option<&'a Json<'a>>, &'static str> {
    let mut complex = false;
    let mut plain = None;
    for (name, value) in members {
        let end = name.strip_prefix(begin);
        if !end.is_some_and(|end| end.starts_with(|c: char| c.is_ascii_uppercase())) {
            continue;
        }
        match value {
            Json::Array(_) | Json::Object(_) => complex = true,
            Json::Null => {}
            _ if plain.is_some() => {
                return Err("fits several plain members; write the one that is meant");
            }
            value => plain = Some(value),
        }
    }
    if complex && plain.is_none() {
        return Err("meets a type of several parts; give it a column of its own, as in \
                    `valueQuantity.value`, and name each plain type too");
    }
    Ok(plain)
}

fn fits(value: &Json<'_>, members: &[(String, String)]) -> Result<bool, &'static str> {
    match value {
        Json::Object(_) => {}
        Json::Null => return Ok(false),
        _ => return Err("selects by a member from a list whose values have none"),
    }
    for (member, wanted) in members {
        let Some(own) = value.member(member) else { return Ok(false) };
        let own = scalar(own).map_err(|_| "selects by a member that is no plain value")?;
        if own.as_deref() != Some(wanted) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// `123` of `Patient/123`, `https://…/Patient/123/_history/2` and `urn:uuid:123`.
fn reference_id(reference: Cow<'_, str>) -> Result<Cow<'_, str>, &'static str> {
    let whole = reference.split_once("/_history/").map_or(&*reference, |(before, _)| before);
    // The id of a conditional reference is known to the server alone.
    if whole.contains('?') {
        return Err("meets a conditional reference, which has no id; leave `.id()` out, or have \
                    the server resolve its references before it exports");
    }
    let id = whole.rsplit(['/', ':']).next().unwrap_or(whole);
    if id.is_empty() {
        return Err("meets a reference that ends without an id");
    }
    Ok(Cow::Owned(id.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::super::json::parse;
    use super::*;

    const OBSERVATION: &str = r#"{
        "resourceType": "Observation", "id": "o1", "meta": {"lastUpdated": "2026-01-02T03:04:05Z"},
        "status": "final", "class": {"code": "AMB"}, "subject": {"reference": "Patient/123"},
        "encounter": {"reference": "urn:uuid:5c1f"},
        "basedOn": [{"reference": "https://h.vn/fhir/ServiceRequest/9/_history/2"}],
        "performer": [{"reference": "Practitioner?identifier=x|7"}, {"reference": "Practitioner/8"}],
        "period": {"start": "2026-01-01"}, "effectiveDateTime": "2026-01-03",
        "identifier": [{"use": "official", "system": "http://a", "value": "A"},
                       {"use": "old", "system": "http://b", "value": "B1"},
                       {"use": "official", "system": "http://b", "value": "B2"}],
        "code": {"coding": [{"system": "http://snomed.info/sct", "code": "1"},
                            {"system": "http://loinc.org", "code": "2093-3"}], "text": "Chol"},
        "category": [{"coding": [{"code": "laboratory"}]}],
        "name": [{"family": "Nguyễn", "given": ["Văn", null, "A"]}],
        "extension": [{"url": "http://x.vn/dan-toc", "valueCode": "01"}],
        "valueQuantity": {"value": 1.10, "unit": "mmol/L"}, "active": true, "nothing": null,
        "empty": [], "onsetAge": {"value": 3}, "twoDate": "2026", "twoString": "x",
        "nested": [[{"a": 1}]], "valued": 7
    }"#;

    fn cell(path: &str) -> Result<Option<String>, &'static str> {
        let resource = parse(OBSERVATION).unwrap();
        Path::parse(path).unwrap().cell(&resource).map(|cell| cell.map(Cow::into_owned))
    }

    fn text(path: &str) -> String {
        cell(path).unwrap().unwrap()
    }

    fn refused(path: &str) -> &'static str {
        cell(path).unwrap_err()
    }

    #[test]
    fn members_are_followed_and_plain_values_become_text() {
        assert_eq!(text("id"), "o1");
        assert_eq!(text("meta.lastUpdated"), "2026-01-02T03:04:05Z");
        assert_eq!(text("class.code"), "AMB");
        assert_eq!(text("period.start"), "2026-01-01");
        assert_eq!(text("active"), "true");
        assert_eq!(text("valueQuantity.value"), "1.10");
        assert_eq!(text("code.text"), "Chol");
    }

    #[test]
    fn what_is_missing_or_null_is_null() {
        for path in [
            "language",
            "period.end",
            "nothing",
            "nothing.more",
            "empty",
            "empty[0]",
            "absent[*].x",
            "identifier[5].value",
            "identifier[system=http://c].value",
            "abatement[x]",
        ] {
            assert_eq!(cell(path), Ok(None), "{path}");
        }
    }

    #[test]
    fn selectors_take_from_lists() {
        assert_eq!(text("code.coding[system=http://loinc.org].code"), "2093-3");
        assert_eq!(text("identifier[system=http://b].value"), "B1");
        assert_eq!(text("identifier[system=http://b][use=official].value"), "B2");
        assert_eq!(text("name[0].family"), "Nguyễn");
        assert_eq!(text("name.given[*]"), "Văn;A");
        assert_eq!(text("identifier[*].value"), "A;B1;B2");
        assert_eq!(text("extension[url=http://x.vn/dan-toc].valueCode"), "01");
    }

    #[test]
    fn the_only_value_of_a_list_needs_no_selector_and_several_do() {
        assert_eq!(text("category.coding.code"), "laboratory");
        assert!(refused("identifier.value").contains("list of several"));
        assert!(refused("code.coding.code").contains("`[system=…]`"));
    }

    #[test]
    fn a_choice_is_the_only_plain_member_that_begins_so() {
        assert_eq!(text("effective[x]"), "2026-01-03");
        assert!(refused("value[x]").contains("type of several parts"));
        assert!(refused("onset[x]").contains("type of several parts"));
        assert!(refused("two[x]").contains("several plain members"));
        // `valued` begins with `value` and does not go on with a capital letter.
        assert_eq!(text("valued"), "7");
        let resource = parse(r#"{"valueString": "x", "valued": 7}"#).unwrap();
        let path = Path::parse("value[x]").unwrap();
        assert_eq!(path.cell(&resource), Ok(Some("x".into())));
    }

    #[test]
    fn the_id_of_a_reference_is_its_last_part() {
        assert_eq!(text("subject.reference"), "Patient/123");
        assert_eq!(text("subject.reference.id()"), "123");
        assert_eq!(text("encounter.reference.id()"), "5c1f");
        assert_eq!(text("basedOn.reference.id()"), "9");
        assert_eq!(text("performer[1].reference.id()"), "8");
        assert_eq!(cell("absent.reference.id()"), Ok(None));
        assert!(refused("performer[*].reference.id()").contains("conditional reference"));
        assert!(reference_id("Patient/".into()).is_err());
    }

    #[test]
    fn a_path_that_does_not_fit_the_resource_is_refused() {
        assert!(refused("code").contains("ends at a list or an object"));
        assert!(refused("name.given.more").contains("list of several"));
        assert!(refused("status.code").contains("behind a plain value"));
        assert!(refused("subject[0].reference").contains("no list"));
        assert!(refused("name.given[a=b]").contains("have none"));
        assert!(refused("code[coding=x]").contains("no list"));
        assert!(refused("category[coding=x]").contains("no plain value"));
        assert!(refused("nested.a").contains("list within a list"));
    }

    #[test]
    fn a_path_that_is_none_is_not_compiled() {
        for path in [
            "",
            ".",
            "a.",
            ".a",
            "a..b",
            "a b",
            "a[",
            "a[]",
            "a[-1]",
            "a[=b]",
            "a[b=]",
            "a[0]b",
            "a[0][1]",
            "a[*][b=c]",
            "a[x].b",
            "a[x].id()",
            "a[99999999999999999999]",
            "1a",
            "a.id",
            "a()",
            ".id()",
            "name/family",
        ] {
            let is_member = path == "a.id";
            assert_eq!(Path::parse(path).is_ok(), is_member, "{path}");
        }
    }
}
