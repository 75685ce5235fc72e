//! What expanding the configuration needs to know of the world.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_ec2::types::{Filter, Image, LocationType};

use super::found;
use super::{Aws, ec2, pages};
use crate::catalog::{image_query, is_image_id, is_parameter};
use crate::cloud::{Ask, Facts, Failure, ImageDisk};
use crate::model::{ImageId, Zone};

impl Aws {
    pub(super) async fn find_facts(&self, ask: &Ask) -> Result<Facts, Failure> {
        let names: Vec<_> = ask.images.iter().cloned().collect();
        let (zones, reservations, spot, offerings, lookups, images) = futures_util::join!(
            self.zones(),
            self.reservations(ask),
            self.spot_prices(ask),
            self.offerings(&ask.instance_types),
            self.look_up(ask.lookups.iter().cloned().collect()),
            found::each(names, |name| async move { (self.image(&name).await, name) }),
        );
        let (zones, mut offerings) = (zones?, offerings?);
        for kind in &ask.instance_types {
            offerings.entry(kind.clone()).or_default().retain(|zone| zones.contains(zone));
        }
        let mut facts = Facts::bare(self.home().clone());
        for (image, name) in images {
            if let Some(image) = image?
                && let Some(id) = image.image_id.clone().map(ImageId)
            {
                facts.image_disks.extend(root(&image).map(|disk| (id.clone(), disk)));
                facts.image_names.extend(image.name.map(|name| (id.clone(), name)));
                facts.images.insert(name, id);
            }
        }
        let (lookups, reservations, spot) = (lookups?, reservations?, spot?);
        Ok(Facts { zones, offerings, lookups, reservations, spot, ..facts })
    }

    async fn zones(&self) -> Result<Vec<Zone>, Failure> {
        let request = self
            .ec2
            .describe_availability_zones()
            .filters(ec2::filter("state", "available"))
            .filters(ec2::filter("zone-type", "availability-zone"));
        let found = self.send("ec2:DescribeAvailabilityZones", request.send()).await?;
        let open = |zone: &aws_sdk_ec2::types::AvailabilityZone| {
            let opt_in = zone.opt_in_status.as_ref().map(|status| status.as_str());
            ec2::is(zone.state.as_ref().map(|state| state.as_str()), "available")
                && zone.zone_type.as_deref().is_none_or(|kind| kind == "availability-zone")
                && !ec2::is(opt_in, "not-opted-in")
        };
        let all = found.availability_zones.unwrap_or_default().into_iter();
        let mut zones: Vec<_> =
            all.filter(open).filter_map(|zone| zone.zone_name.map(Zone)).collect();
        zones.sort();
        Ok(zones)
    }

    async fn offerings(
        &self,
        kinds: &BTreeSet<String>,
    ) -> Result<BTreeMap<String, BTreeSet<Zone>>, Failure> {
        let mut out: BTreeMap<String, BTreeSet<Zone>> = BTreeMap::new();
        if kinds.is_empty() {
            return Ok(out);
        }
        let values = kinds.iter().cloned().collect();
        let filter = Filter::builder().name("instance-type").set_values(Some(values)).build();
        let request = || {
            let request = self.ec2.describe_instance_type_offerings();
            request
                .location_type(LocationType::AvailabilityZone)
                .filters(filter.clone())
                .max_results(1000)
        };
        let all =
            pages!(self, "ec2:DescribeInstanceTypeOfferings", request(), instance_type_offerings);
        for one in all {
            if let (Some(kind), Some(zone)) = (one.instance_type, one.location) {
                out.entry(kind.as_str().to_owned()).or_default().insert(Zone(zone));
            }
        }
        Ok(out)
    }

    /// The image of that name, SSM parameter or id; none when there is none.
    async fn image(&self, name: &str) -> Result<Option<Image>, Failure> {
        let parameter = if is_parameter(name) { self.parameter(name).await? } else { None };
        if is_parameter(name) && !parameter.as_deref().is_some_and(is_image_id) {
            return Ok(None);
        }
        if let Some(id) = parameter.as_deref().or(name.starts_with("ami-").then_some(name)) {
            return self.image_of_id(id).await;
        }
        let query = image_query(name);
        let request = || {
            let request = self
                .ec2
                .describe_images()
                .set_owners(Some(query.owners.clone()))
                .filters(ec2::filter("name", &query.name))
                .filters(ec2::filter("state", "available"))
                .max_results(1000);
            match &query.architecture {
                Some(kind) => request.filters(ec2::filter("architecture", kind)),
                None => request,
            }
        };
        Ok(newest(pages!(self, "ec2:DescribeImages", request(), images)))
    }
}

/// The root disk of an image, where it says so.
fn root(image: &Image) -> Option<ImageDisk> {
    let device = image.root_device_name.clone()?;
    let all = image.block_device_mappings.iter().flatten();
    let found = all.filter(|it| it.device_name.as_deref() == Some(device.as_str()));
    let size = found.filter_map(|it| it.ebs.as_ref()?.volume_size).next().unwrap_or(0);
    Some(ImageDisk { device, size: u32::try_from(size).unwrap_or(0) })
}

fn newest(images: Vec<Image>) -> Option<Image> {
    images
        .into_iter()
        .max_by(|a, b| (&a.creation_date, &a.image_id).cmp(&(&b.creation_date, &b.image_id)))
}

#[cfg(test)]
mod tests {
    use aws_sdk_ec2::types::{BlockDeviceMapping, EbsBlockDevice};

    use super::*;

    #[test]
    fn an_image_s_root_disk_is_the_one_that_it_names() {
        let disk = |name: &str, size| {
            let ebs = EbsBlockDevice::builder().volume_size(size).build();
            BlockDeviceMapping::builder().device_name(name).ebs(ebs).build()
        };
        let image = Image::builder()
            .root_device_name("/dev/xvda")
            .block_device_mappings(disk("/dev/sdb", 500))
            .block_device_mappings(disk("/dev/xvda", 8))
            .build();
        let wanted = ImageDisk { device: "/dev/xvda".to_owned(), size: 8 };
        assert_eq!(root(&image), Some(wanted));
        assert_eq!(root(&Image::builder().build()), None);
    }
}
