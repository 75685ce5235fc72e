//! Floor 4: the questions of `init`, the answers, and the stack that they make.
//!
//! Pure: it knows no terminal, no clock, no cloud and no disk. Who is asked is an [`Asker`];
//! what is found out meanwhile (the account, what a region offers, what it would cost) comes
//! from an [`Outside`]; what comes out are texts of files.

mod around;
mod aws_profiles;
mod draft;
mod given;
mod gpus;
mod hcl;
mod question;
mod questions;
mod render;
mod shipped;
#[cfg(test)]
mod tests;
mod variables;
mod walk;

pub use around::{Account, Around, Fits, Profile};
pub use aws_profiles::profiles;
pub use draft::{Draft, gitignore};
pub use given::{Given, keep, parse, set};
pub use gpus::{Gpu, gpus};
pub use question::{Answers, Choice, Posed, Question, Scene};
pub use questions::all as questions;
pub use render::drafts;
pub use shipped::{SHIPPED, Shipped};
pub use variables::{Starting, starting};
pub use walk::{Asker, Ended, Lack, Note, Outside, strangers, walk};
