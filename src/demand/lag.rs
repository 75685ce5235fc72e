//! How far a consumer group of a Redis stream is behind, from `XINFO GROUPS`
//! (<https://redis.io/docs/latest/commands/xinfo-groups/>).

use std::collections::BTreeMap;

use serde_json::Value as Json;

use super::trouble::{Trouble, What};

/// What a group has yet to be given, and what its consumers have and did not acknowledge.
pub(super) fn lag(groups: &Json, stream: &str, group: &str) -> Result<(i64, i64), Trouble> {
    let answer = |text: String| Trouble::new(What::Answer, text);
    let all = groups.as_array().map(Vec::as_slice).unwrap_or_default();
    let mut names = Vec::new();
    for one in all {
        let fields = fields(one);
        let name = fields.get("name").and_then(|name| name.as_str()).unwrap_or_default();
        if name != group {
            names.push(format!("{name:?}"));
            continue;
        }
        let number = |name: &str| fields.get(name).and_then(|value| value.as_i64());
        let pending = number("pending").unwrap_or(0);
        return match number("lag") {
            Some(lag) => Ok((lag, pending)),
            // Before 7.0 there is none; afterwards entries were deleted from its middle.
            None => Err(answer(format!(
                "Redis cannot tell how far {group:?} is behind in {stream:?}: it needs Redis 7 and \
                 a stream from whose middle nothing was deleted"
            ))),
        };
    }
    let there = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
    Err(answer(format!("{stream:?} has no group {group:?}; its groups are: {there}")))
}

/// Names and values in turn.
fn fields(one: &Json) -> BTreeMap<&str, &Json> {
    let items = one.as_array().map(Vec::as_slice).unwrap_or_default();
    items.chunks_exact(2).filter_map(|pair| Some((pair[0].as_str()?, &pair[1]))).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_group_s_lag_waits_and_what_is_pending_runs() {
        let groups = json!([
            ["name", "other", "consumers", 0, "pending", 0, "lag", 9],
            ["name", "workers", "consumers", 2, "pending", 3, "last-delivered-id", "1-0", "lag", 4],
            ["name", "lost", "pending", 1, "lag", null],
        ]);
        assert_eq!(lag(&groups, "jobs", "workers"), Ok((4, 3)));
        let told = |group: &str| lag(&groups, "jobs", group).expect_err("no lag").text;
        assert!(told("lost").starts_with("Redis cannot tell how far \"lost\" is behind"));
        assert!(told("none").ends_with("its groups are: \"other\", \"workers\", \"lost\""));
        assert!(lag(&json!([]), "jobs", "x").is_err() && lag(&json!(null), "jobs", "x").is_err());
    }
}
