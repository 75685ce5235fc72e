//! Floor 2: tables of what AWS offers.

mod images;

pub use images::{ImageQuery, image_query};
