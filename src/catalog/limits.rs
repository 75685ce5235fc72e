//! Quotas that networks, disks and file systems count against.

/// A quota of the account in a region.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limit {
    /// What counts against it: `addresses`, `vpcs`, `subnets` of a VPC, `groups` of an interface,
    /// `rules` of a group, `interfaces`, a type of disks, IOPS of such, a deployment of Lustre,
    /// `filesystems` of EFS, `roles`, `profiles`.
    pub what: String,
    /// The service that it is of, as Service Quotas knows it.
    pub service: String,
    /// Its code there.
    pub code: String,
    /// So many of what is counted are one of its units: GiB of a TiB.
    pub unit: u64,
    /// How it is found out how much of it is in use.
    pub counted: Counted,
    /// Its name, as the console shows it.
    pub name: String,
}

/// What is counted of an account to know how much of a quota is in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counted {
    /// Elastic IP addresses.
    Addresses,
    /// VPCs.
    Vpcs,
    /// GiB of the disks of a type.
    Disks,
    /// GiB of the Lustre file systems of a deployment.
    Lustre,
    /// EFS file systems.
    FileSystems,
    /// IAM roles.
    Roles,
    /// IAM instance profiles.
    Profiles,
    /// Nothing: only what the stack wants is held against the quota.
    Nothing,
}

impl Counted {
    fn read(word: &str) -> Option<Self> {
        Some(match word {
            "addresses" => Self::Addresses,
            "vpcs" => Self::Vpcs,
            "disks" => Self::Disks,
            "lustre" => Self::Lustre,
            "filesystems" => Self::FileSystems,
            "roles" => Self::Roles,
            "profiles" => Self::Profiles,
            "none" => Self::Nothing,
            _ => return None,
        })
    }
}

/// Reads the table; the last field may hold commas, in quotes.
pub(super) fn read(text: &str) -> Vec<Limit> {
    let data = text.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    data.filter_map(row).collect()
}

fn row(line: &str) -> Option<Limit> {
    let mut words = line.splitn(6, ',');
    let (what, service, code) = (words.next()?, words.next()?, words.next()?);
    let unit = words.next()?.parse().ok()?;
    let counted = Counted::read(words.next()?)?;
    Some(Limit {
        what: what.to_owned(),
        service: service.to_owned(),
        code: code.to_owned(),
        unit,
        counted,
        name: words.next()?.trim_matches('"').to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::super::Catalog;
    use super::*;

    #[test]
    fn every_line_is_read_and_every_type_of_disk_and_deployment_has_its_quota() {
        let text = include_str!("limits.csv");
        assert_eq!(text.lines().filter(|line| line.contains(",L-")).count(), read(text).len());
        let code = |what| Catalog::limit(what).map(|limit| (limit.code.as_str(), limit.unit));
        assert_eq!(code("gp3"), Some(("L-7A658B76", 1024)));
        assert_eq!(code("PERSISTENT_2"), Some(("L-8F1B9C74", 1)));
        assert_eq!(code("SCRATCH_2"), Some(("L-AD2FC696", 1)));
        assert_eq!(code("roles"), Some(("L-FE177D64", 1)));
        assert_eq!(code("nothing"), None);
        let counted = |what| Catalog::limit(what).map(|limit| limit.counted);
        assert_eq!(counted("gp3"), Some(Counted::Disks));
        assert_eq!(counted("SCRATCH_2"), Some(Counted::Lustre));
        assert_eq!(counted("interfaces"), Some(Counted::Nothing));
    }
}
