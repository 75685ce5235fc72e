//! What can be set in the simulated world.

/// Every key with the values that it takes.
pub const KEYS: [(&str, &str); 30] = [
    ("account", "twelve digits, in a world without objects"),
    ("seed", "a number; ids of later objects follow from it"),
    ("zones", "letters such as `a,b,c`, or `default`"),
    ("latency_ms", "milliseconds from call to answer"),
    ("visibility_ms", "milliseconds until a change shows"),
    ("boot_seconds", "seconds until a node is ready"),
    ("report_seconds", "seconds from then until it says so, or is checked"),
    ("sick", "machines of services whose user data hold this text are unhealthy, or `none`"),
    ("throttle", "calls per second, or 0 for no limit"),
    ("launches", "nodes at once and per second, such as `1000,2`, or `none` for no limit"),
    ("launch_calls", "the same of calls that launch: EC2 has `5,2`"),
    ("capacity.<instance type>[@<zone>][/<market>]", "a number of nodes, or `plenty`"),
    (
        "reservation.<cr-…>",
        "type, zone and count, such as `p5.48xlarge,us-east-1a,8`, then `capacity-block` or `targeted`, \
         `ends=2026-12-01T12:00:00Z`, `placement=NAME` and tags `key=value`; or `none`",
    ),
    ("spot.<instance type>[@<zone>]", "US dollars per hour, or `default`"),
    ("price.<instance type or service>", "what a refresh of the catalogue is told, or `default`"),
    ("vcpus.<quota code>", "a number of vCPUs, or of what the quota counts; or `none`"),
    ("stillborn.<instance type>[@<zone>]", "nodes of each launch that end at once, or `none`"),
    (
        "unfit.<instance type>[@<zone>]",
        "nodes of each launch whose boot check fails, such as `1`, or `1,2` for the first two \
         launches of a cluster; or `none`",
    ),
    ("silent.<instance type>[@<zone>]", "the same of nodes that never say anything"),
    (
        "notice.<i-…>",
        "what AWS says of a node: `retirement`, `reboot`, `impaired` or `interruption`; or `none`",
    ),
    ("quota.<kind>", "a number of objects, or `none`"),
    ("image.<name>", "`ami-…`, `hidden`, or `default`"),
    ("parameter.<SSM parameter>", "its value, `hidden`, or `default`"),
    ("offer.<instance type>", "letters of zones such as `a,b`, `nowhere`, or `default`"),
    ("blind", "kinds that may not be listed, such as `vpc,bucket`, or `none`"),
    ("blind_objects", "ids that may not be read, or `none`"),
    ("denied", "actions that the caller may not do, such as `ec2:RunInstances`, or `none`"),
    ("clock_skew", "seconds by which the cloud's clock is ahead of ours"),
    ("session_seconds", "seconds until the credentials end, or `none`"),
    ("faults", "such as `lose_answer@2,deny@ec2:CreateVpc,throttle@ec2:RunInstances#3`, or `none`"),
];
