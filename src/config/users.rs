//! The people whom the configuration lists: `[[user]]`.

use std::collections::BTreeSet;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use warehouse::access::{Principal, Role, Scope};
use warehouse::geography::{Geography, Unit};
use warehouse::names::Sensitivity;
use warehouse::serve::users::Secret;

use super::{Config, UsageError};

/// One person.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct UserConfig {
    pub(crate) name: String,
    /// The most sensitive class of table that they may read.
    pub(crate) clearance: Sensitivity,
    /// In which capacity they ask.
    #[serde(default = "planner", deserialize_with = "read_role", serialize_with = "write_role")]
    pub(crate) role: Role,
    /// Of which units they may read what is not open, by key; all where none is given.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) provinces: Vec<String>,
    /// As `khoyte password` prints it.
    pub(crate) secret: String,
}

fn planner() -> Role {
    Role::Planner
}

fn read_role<'de, D: Deserializer<'de>>(from: D) -> Result<Role, D::Error> {
    String::deserialize(from)?.parse().map_err(serde::de::Error::custom)
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
fn write_role<S: Serializer>(role: &Role, into: S) -> Result<S::Ok, S::Error> {
    into.serialize_str(role.as_str())
}

impl Config {
    /// Whether the configuration lists a person of that name.
    pub(crate) fn lists(&self, name: &str) -> bool {
        self.users.iter().any(|user| user.name == name)
    }

    /// The people whom the configuration lists.
    ///
    /// # Errors
    /// A usage error for a name listed twice, a secret of another form, or a unit that is not
    /// declared.
    pub(crate) fn listed(&self, units: &Geography) -> anyhow::Result<Vec<(Principal, Secret)>> {
        let mut names = BTreeSet::new();
        let person = |user: &UserConfig| {
            let of = |what: String| UsageError(format!("user {}: {what}", user.name));
            if !names.insert(user.name.clone()) {
                return Err(of("listed twice in the configuration".to_owned()).into());
            }
            let secret = Secret::decode(&user.secret).map_err(|error| of(error.to_string()))?;
            let scope = scope(&user.provinces, |key| {
                let known = units.unit(key).map(|unit| unit.key.clone());
                known.ok_or_else(|| of(unknown_unit(key, units)))
            })?;
            let (name, clearance) = (user.name.clone(), user.clearance);
            Ok((Principal { name, role: user.role, clearance, scope }, secret))
        };
        self.users.iter().map(person).collect()
    }
}

/// The places that `keys` name, each read by `key`; the country where there are none.
pub(crate) fn scope<E>(
    keys: &[String],
    key: impl FnMut(&str) -> Result<String, E>,
) -> Result<Scope, E> {
    if keys.is_empty() {
        return Ok(Scope::Country);
    }
    keys.iter().map(String::as_str).map(key).collect::<Result<_, _>>().map(Scope::Units)
}

/// What to say of a unit that is not declared.
pub(crate) fn unknown_unit(key: &str, units: &Geography) -> String {
    let shown = |unit: &Unit| match unit.valid_to {
        None => format!("{} ({})", unit.key, unit.name),
        Some(last) => format!("{} ({}, until {last})", unit.key, unit.name),
    };
    let near: Vec<String> = units.nearest(key, 3).into_iter().map(shown).collect();
    if near.is_empty() {
        let list = "khoyte sql 'SELECT don_vi, ten FROM danh_muc.don_vi'";
        return format!("there is no unit `{key}`; {list} lists them");
    }
    format!("there is no unit `{key}`; did you mean {}?", near.join(" or "))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "4096:00:0000000000000000000000000000000000000000000000000000000000000000";

    fn units() -> Geography {
        let units = "don_vi,ma,ten,ten_en,loai,tu_ngay,den_ngay,can_cu\n\
            24@2004-01-01,24,Bắc Giang,Bac Giang,tinh,2004-01-01,2025-06-30,x\n\
            24@2025-07-01,24,Bắc Ninh,Bac Ninh,tinh,2025-07-01,,x\n\
            04@2004-01-01,04,Cao Bằng,Cao Bang,tinh,2004-01-01,,x\n";
        Geography::from_declared(units, "tu_don_vi,den_don_vi,ngay,can_cu\n").unwrap()
    }

    fn listed(more: &str) -> Result<Vec<Principal>, String> {
        let text = format!(
            "[[user]]\nname = \"a\"\nclearance = \"business\"\nsecret = \"{SECRET}\"\n{more}"
        );
        let config: Config = toml::from_str(&text).map_err(|error| error.to_string())?;
        let listed = config.listed(&units()).map_err(|error| format!("{error:#}"))?;
        Ok(listed.into_iter().map(|(principal, _)| principal).collect())
    }

    #[test]
    fn a_user_is_a_planner_of_the_whole_country_unless_told_otherwise() {
        assert_eq!(listed("").unwrap(), [Principal::planner("a")]);
        let kept = listed("role = \"leader\"\nprovinces = [\"24@2025-07-01\"]\n").unwrap();
        assert_eq!(
            (kept[0].role, kept[0].scope.to_string()),
            (Role::Leader, "24@2025-07-01".to_owned())
        );
    }

    #[test]
    fn what_is_not_known_is_said_with_what_was_meant() {
        let near = listed("provinces = [\"24\"]\n").unwrap_err();
        assert_eq!(
            near,
            "user a: there is no unit `24`; did you mean 24@2025-07-01 (Bắc Ninh) or \
             24@2004-01-01 (Bắc Giang, until 2025-06-30)?"
        );
        assert!(listed("provinces = [\"cao bang\"]\n").unwrap_err().contains("04@2004-01-01"));
        assert!(listed("provinces = [\"\"]\n").unwrap_err().contains("lists them"));
        assert!(listed("role = \"operator\"\n").unwrap_err().contains("leader, planner"));
        let twice =
            format!("[[user]]\nname = \"a\"\nclearance = \"open\"\nsecret = \"{SECRET}\"\n");
        assert!(listed(&twice).unwrap_err().contains("twice"));
    }
}
