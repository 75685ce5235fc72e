//! The formats that mlinfra writes, and their published schemas. One line here makes a
//! format known to `mlinfra schema NAME`.

/// A format.
#[derive(Clone, Copy, Debug)]
pub struct Format {
    /// What it is called on the command line.
    pub name: &'static str,
    /// Where it is met.
    pub about: &'static str,
    /// JSON Schema, draft 2020-12, as text.
    pub schema: &'static str,
}

macro_rules! formats {
    ($($name:literal: $about:literal,)*) => {
        /// Every format, by name.
        pub const FORMATS: &[Format] = &[$(Format {
            name: $name,
            about: $about,
            schema: include_str!(concat!("schemas/", $name, ".json")),
        },)*];
    };
}

formats! {
    "autoscale-simulate": "`autoscale simulate --json`",
    "autoscale-status": "`/status` of `autoscale run`",
    "catalog": "`catalog show --json` and `catalog refresh --json`",
    "cost": "`cost --json`; also in plans and their events",
    "doctor": "`doctor --json`",
    "drift": "`drift --json`",
    "events": "a line of `plan --json`, `apply --json` and `destroy --json`",
    "history": "`history --json`",
    "history-show": "`history show NUMBER --json`",
    "ledger": "`ledger show --json`",
    "ledger-verify": "`ledger verify --json`",
    "output": "`output --json`",
    "plan": "`show --json PLANFILE`",
    "show": "`show --json`",
    "status": "`status --json`",
    "update": "`update --json`",
    "validate": "`validate --json`",
}

/// The format of a name.
pub fn format(name: &str) -> Option<&'static Format> {
    FORMATS.iter().find(|format| format.name == name)
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    #[test]
    fn schemas_are_json_and_say_what_they_are_for() {
        for Format { name, about, schema } in FORMATS {
            let value: Value = serde_json::from_str(schema).expect("JSON");
            assert_eq!(value["$schema"], "https://json-schema.org/draft/2020-12/schema", "{name}");
            assert_eq!(value["$id"], format!("mlinfra:{name}"));
            assert!(value["title"].is_string() && !about.is_empty(), "{name}");
            assert!(format(name).is_some());
        }
        assert!(FORMATS.is_sorted_by_key(|format| format.name));
    }
}
