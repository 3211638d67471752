//! The connections that a process holds, from `/proc`.

use std::collections::HashSet;
use std::fs;

use anyhow::{Context as _, Result};

/// `TCP_ESTABLISHED`.
const ESTABLISHED: &str = "01";

/// Number of connections that a process holds to a port of some host.
pub fn established(pid: i32, port: u16) -> Result<usize> {
    let mut own = HashSet::new();
    for entry in fs::read_dir(format!("/proc/{pid}/fd"))? {
        // One that was closed meanwhile is none.
        let Ok(target) = fs::read_link(entry?.path()) else { continue };
        let target = target.to_string_lossy().into_owned();
        own.extend(target.strip_prefix("socket:[").and_then(|t| t.strip_suffix(']')).map(str::to_owned));
    }
    let mut count = 0;
    for table in ["tcp", "tcp6"] {
        let path = format!("/proc/{pid}/net/{table}");
        let table = fs::read_to_string(&path).with_context(|| path)?;
        // sl, local address, remote address, state, and the inode as the tenth.
        let counts = |line: &&str| {
            let fields: Vec<&str> = line.split_whitespace().collect();
            let remote = fields.get(2).and_then(|a| a.rsplit(':').next());
            let remote = remote.and_then(|p| u16::from_str_radix(p, 16).ok());
            remote == Some(port)
                && fields.get(3) == Some(&ESTABLISHED)
                && fields.get(9).is_some_and(|inode| own.contains(*inode))
        };
        count += table.lines().skip(1).filter(counts).count();
    }
    Ok(count)
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, TcpStream};

    use super::*;

    #[test]
    fn only_what_is_open_to_that_port_counts() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let own = i32::try_from(std::process::id()).unwrap();
        let count = || established(own, address.port()).unwrap();
        assert_eq!(count(), 0);
        let streams: Vec<TcpStream> = (0..2).map(|_| TcpStream::connect(address).unwrap()).collect();
        assert_eq!(count(), 2);
        drop(streams);
        assert_eq!(count(), 0);
    }
}
