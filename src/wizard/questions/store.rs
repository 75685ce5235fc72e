//! Where data is kept, and who may log in.

use super::super::question::{Question, Scene};
use super::check;
use super::train;

pub(super) fn questions() -> Vec<Question> {
    vec![datasets(), checkpoints(), scratch(), lustre_size(), access(), ssh_key(), ssh_from()]
}

const YES_NO: &[(&str, &str)] = &[("yes", "make it"), ("no", "do without")];

fn datasets() -> Question {
    Question::new(
        "datasets",
        "A bucket for datasets?",
        "Private, encrypted, versioned; nodes may read it and nothing else.",
    )
    .help(
        "An empty bucket costs nothing. A bucket that exists already is read by `lookup`: \
           see docs/reference.md.",
    )
    .either(YES_NO)
    .or("yes")
}

fn checkpoints() -> Question {
    Question::new(
        "checkpoints",
        "A bucket for checkpoints?",
        "Nodes write it; it is precious: while it holds anything, nothing deletes it.",
    )
    .help(
        "`mlinfra destroy` refuses to delete a precious bucket that holds data. What lies \
           under tmp/ in it expires after 14 days.",
    )
    .either(YES_NO)
    .or("yes")
}

fn scratch() -> Question {
    Question::new(
        "scratch",
        "Fast scratch space?",
        "Buckets are slow for many small files; scratch is fast, and may be lost.",
    )
    .help(
        "`nvme` is the disks inside a node: free, fast, and gone with the node. `lustre` is FSx \
         for Lustre: shared by all nodes, filled from the datasets bucket as files are read, and \
         paid for by the hour whether it is used or not.",
    )
    .choices(|scene| {
        let mut out = Vec::new();
        if has_nvme(scene) {
            out.push(("nvme", "local disks of each node, as /scratch; costs nothing"));
        }
        out.push(("lustre", "FSx for Lustre, one for all nodes, as /scratch; by the hour"));
        out.push(("none", "only the root disk"));
        let made = out.into_iter().map(|(word, says)| super::super::question::choice(word, says));
        made.collect()
    })
    .default(|scene| Some(if has_nvme(scene) { "nvme" } else { "none" }.to_owned()))
}

fn has_nvme(scene: Scene<'_>) -> bool {
    train::meant(scene).iter().any(|gpu| gpu.nvme)
}

fn lustre_size() -> Question {
    Question::new(
        "lustre_size",
        "How large is it, in GiB?",
        "1200, 2400, or a multiple of 2400. It grows later and never shrinks.",
    )
    .help(
        "What it costs stands in the plan. It is of the scratch kind: what is in it is also \
           in the bucket, or can be lost.",
    )
    .or("1200")
    .check(|text, _| {
        let text = check::whole(text.trim_end_matches("GiB").trim(), 1200, 2_400_000)?;
        match text.parse::<u32>().unwrap_or(0) {
            1200 => Ok(text),
            size if size % 2400 == 0 => Ok(text),
            size => Err(format!("FSx has no {size} GiB: write 1200, 2400, 4800, …")),
        }
    })
    .when(|scene| scene.is("scratch", "lustre"))
}

fn access() -> Question {
    Question::new(
        "access",
        "How do people log in to nodes?",
        "By AWS Systems Manager no port is open and no key is needed.",
    )
    .help(
        "`mlinfra ssh` opens a session through AWS Systems Manager for whoever has the right to \
         it in the account. A key works beside it: through Systems Manager too, or from \
         addresses for which port 22 is opened.",
    )
    .either(&[
        ("ssm", "through AWS Systems Manager: no port, no key"),
        ("key", "with an SSH key as well"),
    ])
    .or("ssm")
}

fn ssh_key() -> Question {
    Question::new(
        "ssh_key",
        "Which public key?",
        "The line of a file such as ~/.ssh/id_ed25519.pub.",
    )
    .help("The public half, which begins with ssh-ed25519, ssh-rsa or ecdsa-sha2-….")
    .default(|scene| scene.around.keys.first().cloned())
    .required_when(|scene| scene.around.keys.is_empty())
    .check(|text, _| {
        let words: Vec<&str> = text.split_whitespace().collect();
        let kinds = ["ssh-ed25519", "ssh-rsa", "ecdsa-sha2-", "sk-ssh-", "sk-ecdsa-"];
        match words.as_slice() {
            [kind, key, ..] if kinds.iter().any(|it| kind.starts_with(it)) && key.len() > 20 => {
                Ok(text.to_owned())
            }
            _ if text.contains("PRIVATE KEY") => {
                Err("that is a private key: it stays where it is; write the .pub file's line"
                    .to_owned())
            }
            _ => Err("that is no public key: paste the line of a .pub file, ssh-ed25519 AAAA…"
                .to_owned()),
        }
    })
    .when(|scene| scene.is("access", "key"))
}

fn ssh_from() -> Question {
    Question::new(
        "ssh_from",
        "From which addresses may port 22 be reached?",
        "Such as 10.8.0.0/16, of a VPN; `none` opens no port.",
    )
    .help(
        "Nodes stand in private subnets: the addresses are those of a peered network or a \
           VPN. With `none` SSH goes through AWS Systems Manager.",
    )
    .or("none")
    .check(|text, _| {
        if text == "none" {
            return Ok(text.to_owned());
        }
        match text.parse::<ipnet::Ipv4Net>() {
            Ok(net) if net.prefix_len() == 0 => {
                Err("0.0.0.0/0 is everybody: name the addresses of a network".to_owned())
            }
            Ok(net) => Ok(net.trunc().to_string()),
            Err(_) => Err(format!("{text:?} is no range: write one such as 10.8.0.0/16, or none")),
        }
    })
    .when(|scene| scene.is("access", "key"))
}
