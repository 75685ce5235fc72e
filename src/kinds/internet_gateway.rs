//! Internet gateway.

use serde::{Deserialize, Serialize};

use super::{Kind, Tags, Traits};
use crate::model::{Link, VpcId};

/// An internet gateway and its attachment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InternetGateway {
    /// The VPC it is attached to.
    pub vpc: Option<Link<VpcId>>,
    /// Tags.
    pub tags: Tags,
}

impl Kind for InternetGateway {
    const TRAITS: Traits = Traits {
        title: "internet gateway",
        // Moving a gateway to another VPC would first need every public address of the
        // old one gone; a new gateway is simpler and costs nothing.
        attach: &["vpc"],
        dismantle: &["vpc"],
        ..Traits::COMMON
    };

    fn born(&self) -> Self {
        Self { vpc: None, ..self.clone() }
    }

    fn claim(&self) -> Option<String> {
        let vpc = self.vpc.as_ref().and_then(Link::id);
        vpc.map(|vpc| format!("the gateway of {vpc}"))
    }
}
