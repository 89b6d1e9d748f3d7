//! Host ports (`scheduling §10`).

use crate::model::pod::HostPort;

/// Same port and protocol, and the same address or one that is every address.
pub fn conflict(a: &HostPort, b: &HostPort) -> bool {
    let any = |ip: &str| matches!(ip, "" | "0.0.0.0" | "::");
    a.port == b.port && a.protocol == b.protocol && (a.ip == b.ip || any(&a.ip) || any(&b.ip))
}

/// The first clash between what a pod wants and what is taken.
pub fn first_conflict<'a>(
    wanted: &'a [HostPort],
    taken: impl Iterator<Item = &'a HostPort>,
) -> Option<(&'a HostPort, &'a HostPort)> {
    // Nearly every pod wants none.
    let (false, mut taken) = (wanted.is_empty(), taken) else {
        return None;
    };
    taken.find_map(|t| wanted.iter().find(|w| conflict(w, t)).map(|w| (w, t)))
}

/// `ip:port/protocol`, as refusals show it.
pub fn text(port: &HostPort) -> String {
    format!("{}:{}/{}", port.ip, port.port, port.protocol)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn item_29_wildcards_overlap() {
        let port = |ip: &str, port, protocol: &str| HostPort {
            ip: ip.into(),
            port,
            protocol: protocol.into(),
        };
        let a = port("10.0.0.1", 80, "TCP");
        assert!(conflict(&a, &port("0.0.0.0", 80, "TCP")));
        assert!(conflict(&a, &port("::", 80, "TCP")));
        assert!(conflict(&a, &a));
        assert!(!conflict(&a, &port("10.0.0.2", 80, "TCP")));
        assert!(!conflict(&a, &port("10.0.0.1", 80, "UDP")));
        assert!(!conflict(&a, &port("10.0.0.1", 81, "TCP")));
    }
}
