//! How much of what quotas count the account has, and how high the quotas are.

use aws_sdk_ec2::types::Filter;
use aws_sdk_fsx::types::FileSystem;

use super::{Aws, failure, pages};
use crate::cloud::{Failure, Measure};

/// Service Quotas says so of a quota that was never changed for the account.
const UNCHANGED: &str = "NoSuchResourceException";

impl Aws {
    /// How high a quota is; none where it is not known. One that nobody has had raised may have no
    /// value of its own: AWS's default holds then
    /// (<https://docs.aws.amazon.com/servicequotas/2019-06-24/apireference/API_GetServiceQuota.html>).
    pub(super) async fn quota_of(&self, service: &str, code: &str) -> Result<Option<u64>, Failure> {
        if service == "iam" {
            return self.iam_summary(code).await;
        }
        let request = self.quotas.get_service_quota().service_code(service).quota_code(code);
        let found = match self.send("servicequotas:GetServiceQuota", request.send()).await {
            Ok(found) => found.quota,
            Err(failure) if failure.code == UNCHANGED => {
                let request = self.quotas.get_aws_default_service_quota();
                let request = request.service_code(service).quota_code(code);
                let sent = self.send("servicequotas:GetAWSDefaultServiceQuota", request.send());
                sent.await?.quota
            }
            Err(failure) => return Err(failure),
        };
        let value = found.and_then(|quota| quota.value);
        Ok(value.filter(|value| *value >= 0.0).map(|value| value as u64))
    }

    /// A number of IAM's summary of the account, by its key or by the code of a quota; none where
    /// it has no such number. Service Quotas knows IAM in one region only, and this is known in
    /// each (<https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetAccountSummary.html>).
    async fn iam_summary(&self, what: &str) -> Result<Option<u64>, Failure> {
        let key = match what {
            "L-FE177D64" => "RolesQuota",
            "L-6E65F664" => "InstanceProfilesQuota",
            key => key,
        };
        let request = self.iam.get_account_summary();
        let found = self.send("iam:GetAccountSummary", request.send()).await?;
        let all = found.summary_map.unwrap_or_default();
        let value = all.into_iter().find(|(name, _)| name.as_str() == key).map(|(_, value)| value);
        Ok(value.and_then(|value| u64::try_from(value).ok()))
    }

    /// The same of what must be there.
    async fn iam_count(&self, key: &str) -> Result<u64, Failure> {
        let strange = || failure::strange("iam:GetAccountSummary", "it does not say how many");
        self.iam_summary(key).await?.ok_or_else(strange)
    }

    /// How much there is, whoever's it is.
    pub(super) async fn usage_of(&self, of: &Measure) -> Result<u64, Failure> {
        match of {
            Measure::Addresses => {
                let request = self.ec2.describe_addresses();
                let found = self.send("ec2:DescribeAddresses", request.send()).await?;
                Ok(found.addresses.unwrap_or_default().len() as u64)
            }
            Measure::Vpcs => {
                let request = || self.ec2.describe_vpcs().max_results(1000);
                Ok(pages!(self, "ec2:DescribeVpcs", request(), vpcs).len() as u64)
            }
            Measure::FileSystems => Ok(self.all_efs().await?.len() as u64),
            Measure::Roles => self.iam_count("Roles").await,
            Measure::Profiles => self.iam_count("InstanceProfiles").await,
            Measure::Disks(kind) => self.disks(kind).await,
            Measure::Lustre(deployment) => {
                let all = self.lustre_systems().await?;
                let same = |it: &&FileSystem| is_of(it, deployment);
                Ok(all.iter().filter(same).map(|it| gib(it.storage_capacity)).sum())
            }
        }
    }

    async fn disks(&self, kind: &str) -> Result<u64, Failure> {
        let filter = Filter::builder().name("volume-type").values(kind).build();
        let request = || self.ec2.describe_volumes().filters(filter.clone()).max_results(1000);
        let all = pages!(self, "ec2:DescribeVolumes", request(), volumes);
        Ok(all.iter().map(|volume| gib(volume.size)).sum())
    }
}

fn gib(size: Option<i32>) -> u64 {
    size.and_then(|size| u64::try_from(size).ok()).unwrap_or(0)
}

/// Both generations of scratch count against one quota.
fn is_of(system: &FileSystem, deployment: &str) -> bool {
    let lustre = system.lustre_configuration.as_ref();
    let own = lustre.and_then(|it| it.deployment_type.as_ref()).map_or("", |it| it.as_str());
    let scratch = |word: &str| word.starts_with("SCRATCH");
    own == deployment || (scratch(own) && scratch(deployment))
}
