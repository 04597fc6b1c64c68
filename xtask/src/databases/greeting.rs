use std::{
    io::Read,
    net::{SocketAddr, TcpStream, ToSocketAddrs},
    time::Duration,
};

const PATIENCE: Duration = Duration::from_secs(2);

/// Whether something answers there.
pub(crate) fn answers(place: impl ToSocketAddrs) -> bool {
    connect(place).is_some()
}

/// The version of a MySQL server, which it tells everyone who connects.
pub(crate) fn version(place: impl ToSocketAddrs) -> Option<String> {
    let mut stream = connect(place)?;
    stream.set_read_timeout(Some(PATIENCE)).ok()?;
    let mut packet = [0; 64];
    let length = stream.read(&mut packet).ok()?;
    parse(&packet[..length])
}

fn connect(place: impl ToSocketAddrs) -> Option<TcpStream> {
    let addresses: Vec<SocketAddr> = place.to_socket_addrs().ok()?.collect();
    addresses.iter().find_map(|address| TcpStream::connect_timeout(address, PATIENCE).ok())
}

/// Length and number of the packet, the protocol's version, which is 10, and the server's up to a zero.
fn parse(packet: &[u8]) -> Option<String> {
    let [_, _, _, 0, 10, version @ ..] = packet else { return None };
    let end = version.iter().position(|byte| *byte == 0)?;
    String::from_utf8(version[..end].to_vec()).ok()
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn a_greeting_names_the_version() {
        assert_eq!(parse(b"\x59\0\0\0\x0a8.4.3\0\x08\0\0\0").as_deref(), Some("8.4.3"));
        assert_eq!(parse(b"\x10\0\0\0\xff\x10\x04Too many connections"), None);
        assert_eq!(parse(b""), None);
    }
}
