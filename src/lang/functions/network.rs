//! IP ranges.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;

use super::super::value::Value;
use super::{Call, Fail, Function, Outcome, bad};

pub(super) const TABLE: &[Function] = &[
    Function::new(
        "cidrsubnet",
        "prefix, newbits, netnum",
        "One of the ranges inside a range.",
        (3, 3),
        subnet,
    ),
    Function::new(
        "cidrhost",
        "prefix, hostnum",
        "One address of a range; -1 is the last.",
        (2, 2),
        host,
    ),
    Function::new("cidrnetmask", "prefix", "The netmask of an IPv4 range.", (1, 1), |call| {
        match range(call)? {
            IpNet::V4(net) => Ok(Value::from(net.netmask().to_string())),
            IpNet::V6(_) => bad(0, "only IPv4 ranges have a netmask"),
        }
    }),
];

fn range(call: &Call<'_>) -> Result<IpNet, Fail> {
    let text = call.text(0)?;
    match text.parse::<IpNet>() {
        Ok(net) => Ok(net.trunc()),
        Err(_) => bad(0, format!("{text:?} is no IP range such as \"10.0.0.0/16\"")),
    }
}

fn bits(net: &IpNet) -> (u128, u8) {
    match net.network() {
        IpAddr::V4(address) => (u128::from(u32::from(address)), 32),
        IpAddr::V6(address) => (u128::from(address), 128),
    }
}

fn address(net: &IpNet, bits: u128) -> Option<IpAddr> {
    match net {
        IpNet::V4(_) => u32::try_from(bits).ok().map(|bits| Ipv4Addr::from(bits).into()),
        IpNet::V6(_) => Some(Ipv6Addr::from(bits).into()),
    }
}

fn subnet(call: &Call<'_>) -> Outcome {
    let net = range(call)?;
    let (base, width) = bits(&net);
    let (new_bits, number) = (call.whole(1)?, call.whole(2)?);
    let length = u8::try_from(new_bits).ok().and_then(|new| net.prefix_len().checked_add(new));
    let Some(length) = length.filter(|length| *length <= width) else {
        return bad(1, format!("a /{} has no room for {new_bits} more bits", net.prefix_len()));
    };
    let new_bits = u32::from(length - net.prefix_len());
    let Some(number) = u128::try_from(number)
        .ok()
        .filter(|number| new_bits >= 128 || number.checked_shr(new_bits).unwrap_or(0) == 0)
    else {
        return bad(
            2,
            format!("{new_bits} bits number 0 to {}", (1_u128 << new_bits.min(127)) - 1),
        );
    };
    let shifted = number.checked_shl(u32::from(width - length)).unwrap_or(0);
    match address(&net, base | shifted).map(|address| IpNet::new(address, length)) {
        Some(Ok(subnet)) => Ok(Value::from(subnet.to_string())),
        Some(Err(_)) | None => bad(2, "outside of the range"),
    }
}

fn host(call: &Call<'_>) -> Outcome {
    let net = range(call)?;
    let (base, width) = bits(&net);
    let number = call.whole(1)?;
    let room = u32::from(width - net.prefix_len());
    let size = 1_u128.checked_shl(room).unwrap_or(u128::MAX);
    let distance = u128::from(number.unsigned_abs());
    let offset = if number < 0 { size.checked_sub(distance) } else { Some(distance) };
    match offset.filter(|offset| *offset < size).and_then(|offset| address(&net, base | offset)) {
        Some(address) => Ok(Value::from(address.to_string())),
        None => bad(1, format!("a /{} has no such address", net.prefix_len())),
    }
}
