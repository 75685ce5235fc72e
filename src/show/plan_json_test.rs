//! Plans as JSON, exactly.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::fixture::{fresh, mixed};
use super::golden::check;
use super::known::split;
use super::plan_json::{self, Document};
use crate::cloud::Observed;
use crate::kinds::Plan;
use crate::plan::cost::Bill;

fn json(plan: &Plan, observed: &Observed) -> Value {
    let variables =
        BTreeMap::from([("size".to_owned(), Some(json!(4))), ("token".to_owned(), None)]);
    plan_json::json(&Document {
        plan,
        observed,
        former: &BTreeMap::new(),
        variables: &variables,
        created: "2026-11-23T09:30:00Z".to_owned(),
        outside: None,
        refresh_only: false,
        complete: true,
        cost: &Bill::default(),
    })
}

fn none() -> Observed {
    Observed::default()
}

#[test]
fn plans_in_the_shape_of_terraform() {
    check("plan_fresh.json", &format!("{:#}\n", json(&fresh(), &none())));
    check("plan_mixed.json", &format!("{:#}\n", json(&mixed(), &none())));
}

#[test]
fn a_replacement_is_one_change_with_two_actions() {
    let shown = json(&mixed(), &none());
    let actions = |address: &str| {
        let changes = shown["resource_changes"].as_array().expect("a list");
        let found: Vec<_> = changes.iter().filter(|change| change["address"] == address).collect();
        assert_eq!(found.len(), 1, "{address}");
        (found[0]["change"]["actions"].clone(), found[0]["action_reason"].clone())
    };
    let (order, reason) = actions("mlinfra_subnet.network_main_private-a");
    assert_eq!(
        (order, reason),
        (json!(["delete", "create"]), json!("replace_because_cannot_update"))
    );
    let (order, reason) = actions("mlinfra_nat_gateway.network_main_nat");
    assert_eq!((order, reason), (json!(["create", "delete"]), json!("replace_because_tainted")));
    let (order, reason) = actions("mlinfra_bucket.old");
    assert_eq!((order, reason), (json!(["delete"]), json!("delete_because_no_resource_config")));
}

#[test]
fn unknown_values_are_left_out_and_marked() {
    let value = json!({"vpc": {"$to": "network.main/vpc"}, "old": {"$id": "vpc-1"}, "n": 1,
        "list": ["a", {"$text": [{"id": "network.main/vpc"}]}], "in": {"x": {"$to": "bucket.a"}}});
    let (known, unknown) = split(&value);
    assert_eq!(known, json!({"old": "vpc-1", "n": 1, "list": ["a", null], "in": {}}));
    assert_eq!(unknown, json!({"vpc": true, "list": [false, true], "in": {"x": true}}));
}

#[test]
fn secrets_stay_out() {
    assert!(!json(&fresh(), &none()).to_string().contains("hunter2"));
}

#[test]
fn an_empty_plan_is_not_applyable() {
    let shown = json(&Plan { unchanged: 3, ..Plan::default() }, &none());
    assert_eq!((&shown["applyable"], &shown["complete"]), (&json!(false), &json!(true)));
    assert_eq!(shown["mlinfra"]["unchanged"], json!(3));
}
