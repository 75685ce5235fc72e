//! Floor 2: tables of what AWS offers, as readable data with a date.

mod images;
mod instances;

pub use images::{ImageQuery, image_names, image_query};
pub use instances::{InstanceType, PRICES_OF, instance_type};
