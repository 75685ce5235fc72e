//! Floor 7: data to text and JSON. Nothing here prints, asks a clock or knows the
//! environment: a printer is a function of what it shows and of the screen.

mod advice;
pub mod calls;
mod card;
pub mod catalog;
mod change_json;
mod configuration_json;
pub mod cost;
pub mod cost_json;
mod crowd;
#[cfg(test)]
mod crowd_test;
pub mod decision;
#[cfg(test)]
mod decision_test;
mod diff;
pub mod doctor;
pub mod drift;
mod drift_json;
mod entry;
pub mod environments;
pub mod event_json;
pub mod events;
#[cfg(test)]
mod events_test;
#[cfg(test)]
mod fixture;
pub mod fleet;
mod fold;
#[cfg(test)]
mod golden;
pub mod history;
pub mod init;
mod item;
mod known;
pub mod ledger;
mod node_json;
pub mod node_notes;
mod node_rows;
pub mod nodes;
pub mod objects;
pub mod offers;
pub mod outputs;
pub mod overview;
pub mod plan;
pub mod plan_json;
#[cfg(test)]
mod plan_json_test;
#[cfg(test)]
mod plan_test;
pub mod problem;
mod reason;
pub mod report;
pub mod sandbox;
pub mod saved;
pub mod schema;
pub mod schemas;
pub mod screen;
pub mod simulation;
pub mod simulation_html;
mod state;
pub mod state_json;
mod summary;
mod table;
pub mod terraform;
pub mod update;
mod value;
mod words;
