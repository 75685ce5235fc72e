//! Floor 7: data to text and JSON. Nothing here prints, asks a clock or knows the
//! environment: a printer is a function of what it shows and of the screen.

mod card;
mod diff;
#[cfg(test)]
mod fixture;
mod fold;
#[cfg(test)]
mod golden;
mod item;
pub mod outputs;
pub mod plan;
pub mod plan_json;
#[cfg(test)]
mod plan_json_test;
#[cfg(test)]
mod plan_test;
pub mod screen;
mod value;
