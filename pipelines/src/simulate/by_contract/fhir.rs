//! FHIR resources, built from the paths by which a contract reads them.

use connectors::fill::{Cells, Holds};
use serde_json::{Map, Value};

use super::shape::{Field, Shape};

/// Rows as NDJSON; what hinders otherwise.
pub(super) fn lines(
    shape: &Shape<'_>,
    resource: &str,
    rows: impl Iterator<Item = Cells>,
) -> Result<Vec<u8>, String> {
    let paths: Result<Vec<Path>, String> =
        shape.fields.iter().map(|field| Path::parse(&field.name)).collect();
    let paths = paths?;
    let mut bytes = Vec::new();
    for row in rows {
        let mut whole = Value::Object(Map::new());
        *member(&mut whole, "resourceType") = Value::String(resource.to_owned());
        // What is named by its place comes first, so that it has it.
        for is_placed in [true, false] {
            for ((path, field), cell) in paths.iter().zip(&shape.fields).zip(&row) {
                if path.is_placed() != is_placed {
                    continue;
                }
                if let Some(cell) = cell {
                    path.put(&mut whole, value(field, cell, path.is_id));
                } else if is_placed {
                    path.reserve(&mut whole);
                } else {
                    path.hide(&mut whole);
                }
            }
        }
        serde_json::to_writer(&mut bytes, &whole).map_err(|_| "its rows are no JSON".to_owned())?;
        bytes.push(b'\n');
    }
    Ok(bytes)
}

/// A path of a contract.
struct Path {
    steps: Vec<Step>,
    is_id: bool,
}

/// A member, and which of its values.
struct Step {
    member: String,
    pick: Pick,
}

enum Pick {
    Only,
    At(usize),
    Where(Vec<(String, String)>),
}

impl Path {
    fn parse(text: &str) -> Result<Self, String> {
        let wrong = || format!("its path `{text}` cannot be filled");
        let is_id = text.ends_with(".id()");
        let mut rest = text.strip_suffix(".id()").unwrap_or(text);
        let mut steps = Vec::new();
        while !rest.is_empty() {
            let end = rest.find(['.', '[']).unwrap_or(rest.len());
            let (name, mut after) = rest.split_at(end);
            let (mut member, mut pick) = (name.to_owned(), Pick::Only);
            while let Some(inside) = after.strip_prefix('[') {
                let (inside, behind) = inside.split_once(']').ok_or_else(wrong)?;
                after = behind;
                pick = match (inside, inside.split_once('='), pick) {
                    ("x", ..) => {
                        member.push_str("String");
                        Pick::Only
                    }
                    ("*", ..) => Pick::At(0),
                    (_, Some((name, value)), Pick::Where(mut all)) => {
                        all.push((name.to_owned(), value.to_owned()));
                        Pick::Where(all)
                    }
                    (_, Some((name, value)), _) => {
                        Pick::Where(vec![(name.to_owned(), value.to_owned())])
                    }
                    (digits, None, _) => Pick::At(digits.parse().map_err(|_| wrong())?),
                };
            }
            steps.push(Step { member, pick });
            rest = after.strip_prefix('.').unwrap_or(after);
        }
        if steps.is_empty() { Err(wrong()) } else { Ok(Self { steps, is_id }) }
    }

    /// Whether one of its members is named by its place in a list.
    fn is_placed(&self) -> bool {
        self.steps.iter().any(|step| matches!(step.pick, Pick::At(_)))
    }

    fn put(&self, whole: &mut Value, value: Value) {
        let mut at = whole;
        for step in &self.steps {
            at = step.enter(at);
        }
        *at = value;
    }

    /// Takes the sign by which a missing member would be found off another that has it by chance.
    fn hide(&self, whole: &mut Value) {
        let mut at = Some(whole);
        for step in &self.steps {
            let own = at.and_then(|at| at.get_mut(step.member.as_str()));
            at = match &step.pick {
                Pick::Only => own,
                Pick::At(place) => own.and_then(|own| own.get_mut(*place)),
                Pick::Where(members) => {
                    let found = own.and_then(Value::as_array_mut).into_iter().flatten();
                    for one in found.filter(|one| is_found(one, members)) {
                        if let Some(one) = one.as_object_mut() {
                            one.retain(|name, _| members.iter().all(|(sign, _)| sign != name));
                        }
                    }
                    return;
                }
            };
        }
    }

    /// Keeps the place of a member that is missing, so that no other value takes it.
    fn reserve(&self, whole: &mut Value) {
        let mut at = whole;
        // The last is a plain value: where it is missing, it has no place to keep.
        for step in &self.steps[..self.steps.len() - 1] {
            at = step.enter(at);
            if !at.is_object() {
                *at = Value::Object(Map::new());
            }
        }
    }
}

/// Whether a value has what a path asks of one of a list.
fn is_found(value: &Value, members: &[(String, String)]) -> bool {
    members.iter().all(|(name, wanted)| value[name.as_str()] == wanted.as_str())
}

impl Step {
    fn enter<'a>(&self, at: &'a mut Value) -> &'a mut Value {
        let own = member(at, &self.member);
        match &self.pick {
            Pick::Only => own,
            Pick::At(place) => {
                let list = list(own);
                while list.len() <= *place {
                    list.push(Value::Object(Map::new()));
                }
                &mut list[*place]
            }
            Pick::Where(members) => {
                let list = list(own);
                let fits = |value: &Value| is_found(value, members);
                let place = list.iter().position(fits).unwrap_or_else(|| {
                    let mut new = Map::new();
                    for (name, wanted) in members {
                        new.insert(name.clone(), Value::String(wanted.clone()));
                    }
                    list.push(Value::Object(new));
                    list.len() - 1
                });
                &mut list[place]
            }
        }
    }
}

/// The member of an object, which the value becomes where it is none.
fn member<'a>(value: &'a mut Value, name: &str) -> &'a mut Value {
    if !value.is_object() {
        *value = Value::Object(Map::new());
    }
    &mut value[name]
}

/// The list that a value is, or becomes.
fn list(value: &mut Value) -> &mut Vec<Value> {
    if !value.is_array() {
        *value = Value::Array(Vec::new());
    }
    value.as_array_mut().expect("it was made a list")
}

fn value(field: &Field<'_>, cell: &str, is_id: bool) -> Value {
    if is_id {
        return Value::String(format!("MoPhong/{cell}"));
    }
    match field.holds {
        Holds::Truth => Value::Bool(cell == "true"),
        Holds::Whole | Holds::Decimal { .. } => {
            serde_json::from_str(cell).unwrap_or_else(|_| Value::String(cell.to_owned()))
        }
        Holds::Text | Holds::Day | Holds::Instant => Value::String(cell.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_build_what_they_read() {
        let mut whole = Value::Null;
        let mut put = |path: &str, text: &str| {
            Path::parse(path).unwrap().put(&mut whole, Value::String(text.to_owned()));
        };
        put("code.coding[0].code", "a");
        put("code.coding[system=http://loinc.org].code", "b");
        put("identifier[system=http://x.vn/sid/a.b].value", "c");
        put("category[0]", "food");
        let expected = serde_json::json!({
            "code": {"coding": [{"code": "a"}, {"system": "http://loinc.org", "code": "b"}]},
            "identifier": [{"system": "http://x.vn/sid/a.b", "value": "c"}],
            "category": ["food"],
        });
        assert_eq!(whole, expected);
    }
}
