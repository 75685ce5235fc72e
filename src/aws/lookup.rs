//! What exists in the account and is not ours.

use std::collections::BTreeMap;

use aws_sdk_ec2::types::{Filter, Image};

use super::{Aws, ec2, failure, found, pages};
use crate::catalog::is_image_id;
use crate::cloud::{Class, Failure, Lookup, Lookups, Match, matched};

impl Aws {
    /// Asks every question.
    pub(super) async fn look_up(&self, asked: Vec<Lookup>) -> Result<Lookups, Failure> {
        let answers =
            found::each(asked, |asked| async move { (self.answer(&asked).await, asked) }).await;
        answers.into_iter().map(|(answer, asked)| Ok((asked, answer?))).collect()
    }

    async fn answer(&self, asked: &Lookup) -> Result<Vec<Match>, Failure> {
        match asked {
            Lookup::Vpc { id, tags } => self.vpcs_like(id.as_deref(), tags).await,
            Lookup::Subnets { vpc, tags } => self.subnets_like(vpc, tags).await,
            Lookup::Bucket { name } => self.bucket_like(name).await,
            Lookup::Image { owner, name } => self.images_like(owner, name).await,
            Lookup::Parameter { name } => self.images_in(name).await,
        }
    }

    async fn vpcs_like(
        &self,
        id: Option<&str>,
        tags: &BTreeMap<String, String>,
    ) -> Result<Vec<Match>, Failure> {
        let mut filters = with(tags);
        filters.extend(id.map(|id| ec2::filter("vpc-id", id)));
        let request = || {
            let filters = (!filters.is_empty()).then(|| filters.clone());
            self.ec2.describe_vpcs().set_filters(filters).max_results(1000)
        };
        let all = pages!(self, "ec2:DescribeVpcs", request(), vpcs);
        let fields = |vpc: aws_sdk_ec2::types::Vpc| {
            let cidr = vpc.cidr_block.unwrap_or_default();
            matched([("id", vpc.vpc_id.unwrap_or_default()), ("cidr", cidr)])
        };
        Ok(all.into_iter().map(fields).collect())
    }

    async fn subnets_like(
        &self,
        vpc: &str,
        tags: &BTreeMap<String, String>,
    ) -> Result<Vec<Match>, Failure> {
        let mut filters = with(tags);
        filters.push(ec2::filter("vpc-id", vpc));
        let request =
            || self.ec2.describe_subnets().set_filters(Some(filters.clone())).max_results(1000);
        let all = pages!(self, "ec2:DescribeSubnets", request(), subnets);
        let fields = |subnet: aws_sdk_ec2::types::Subnet| {
            matched([
                ("id", subnet.subnet_id.unwrap_or_default()),
                ("zone", subnet.availability_zone.unwrap_or_default()),
                ("vpc", subnet.vpc_id.unwrap_or_default()),
                ("cidr", subnet.cidr_block.unwrap_or_default()),
            ])
        };
        Ok(all.into_iter().map(fields).collect())
    }

    async fn bucket_like(&self, name: &str) -> Result<Vec<Match>, Failure> {
        let request = self.s3.head_bucket().bucket(name);
        let request = request.expected_bucket_owner(self.home().account.as_str());
        match self.send("s3:HeadBucket", request.send()).await {
            Ok(found) => {
                let here = self.home().region.to_string();
                let region = found.bucket_region.unwrap_or(here);
                Ok(vec![matched([("name", name.to_owned()), ("region", region)])])
            }
            Err(failure) if failure.class == Class::Gone => Ok(Vec::new()),
            Err(failure) => Err(failure),
        }
    }

    /// The newest image; none when none fits.
    async fn images_like(&self, owner: &str, name: &str) -> Result<Vec<Match>, Failure> {
        let request = || {
            self.ec2
                .describe_images()
                .owners(owner)
                .filters(ec2::filter("name", name))
                .filters(ec2::filter("state", "available"))
                .max_results(1000)
        };
        let all = pages!(self, "ec2:DescribeImages", request(), images);
        let newest = all
            .into_iter()
            .max_by(|a, b| (&a.creation_date, &a.image_id).cmp(&(&b.creation_date, &b.image_id)));
        let fields = |image: Image| {
            let name = image.name.unwrap_or_default();
            matched([("id", image.image_id.unwrap_or_default()), ("name", name)])
        };
        Ok(newest.map(fields).into_iter().collect())
    }

    /// The image that a parameter names.
    async fn images_in(&self, parameter: &str) -> Result<Vec<Match>, Failure> {
        let Some(value) = self.parameter(parameter).await? else { return Ok(Vec::new()) };
        let mut found = Match::new();
        if is_image_id(&value) {
            let seen = self.image_of_id(&value).await?;
            found.extend(seen.map(|image| ("name".to_owned(), image.name.unwrap_or_default())));
            found.insert("id".to_owned(), value);
        }
        Ok(vec![found])
    }

    /// What stands in a parameter; none when there is no such one. What is encrypted stays
    /// so: nothing that we ask for is a secret.
    pub(super) async fn parameter(&self, name: &str) -> Result<Option<String>, Failure> {
        const API: &str = "ssm:GetParameter";
        match self.send(API, self.ssm.get_parameter().name(name).send()).await {
            Ok(found) => match found.parameter.and_then(|parameter| parameter.value) {
                Some(value) => Ok(Some(value)),
                None => Err(failure::strange(API, format!("no value of {name}"))),
            },
            Err(failure) if failure.class == Class::Gone => Ok(None),
            Err(failure) => Err(failure),
        }
    }

    /// The image of that id; none when it is not to be seen here.
    pub(super) async fn image_of_id(&self, id: &str) -> Result<Option<Image>, Failure> {
        let request = self.ec2.describe_images().image_ids(id);
        match self.send("ec2:DescribeImages", request.send()).await {
            Ok(found) => Ok(found.images.unwrap_or_default().into_iter().next()),
            Err(failure) if failure.class == Class::Gone => Ok(None),
            Err(failure) if failure.code.starts_with("InvalidAMIID") => Ok(None),
            Err(failure) => Err(failure),
        }
    }
}

/// Filters for tags.
fn with(tags: &BTreeMap<String, String>) -> Vec<Filter> {
    tags.iter().map(|(key, value)| ec2::filter(&format!("tag:{key}"), value)).collect()
}
