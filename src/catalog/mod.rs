//! Floor 2: tables of what AWS offers, as readable data with a date.

mod images;
mod instances;

pub use images::{
    ImageQuery, image_names, image_of_parameter, image_query, is_image_id, is_parameter,
    is_public_image_parameter,
};
pub use instances::{InstanceType, PRICES_OF, instance_type};
