//! The beginning of a connection: who is who, and the list of tools.

use std::sync::atomic::Ordering;

use rmcp::model::{ClientConfig, ProtocolVersion, Tool as Said};
use rmcp::service::{ClientLifecycleMode, ClientServiceExt, RunningService};
use rmcp::{Peer, RoleClient};

use crate::describe;
use crate::known::Known;
use crate::link::Link;
use crate::list::everything;
use crate::text::line;

/// The connection, what it lists, and whether that is all.
type Started = (RunningService<RoleClient, ClientConfig>, Vec<Said>, bool);

/// Shakes hands and reads the list.
///
/// The library's newest version of the protocol has no handshake, and no server of today speaks it; so the newest that
/// has one is asked for by name, and what the server chooses instead must be one with a handshake too.
pub(crate) async fn start<T>(link: Link<T>, known: &Known) -> Result<Started, String>
where
    T: rmcp::transport::Transport<RoleClient> + 'static,
{
    let us = known.shared.introduction();
    let running = us.serve_with_lifecycle(link, ClientLifecycleMode::Initialize);
    let running = running.await.map_err(|error| describe::starting(&error))?;
    let info = running.peer().peer_info();
    let version = info.as_ref().map(|info| info.protocol_version.clone());
    let spoken = |version: &ProtocolVersion| {
        version.has_initialize() && ProtocolVersion::KNOWN_VERSIONS.contains(version)
    };
    if !version.as_ref().is_some_and(spoken) {
        let version = version.map(|version| line(version.as_str(), 40));
        return Err(format!(
            "it speaks version {} of the protocol: one of 2024-11-05 to 2025-11-25 is needed",
            version.unwrap_or_default()
        ));
    }
    let (said, complete) = if info.is_some_and(|info| info.capabilities.tools.is_some()) {
        let list = everything(running.peer()).await;
        list.map_err(|error| describe::listing(&error))?
    } else {
        (Vec::new(), true)
    };
    known.shared.listed.store(true, Ordering::Relaxed);
    Ok((running, said, complete))
}

/// What a server says it is.
pub(crate) fn about(peer: &Peer<RoleClient>) -> String {
    let Some(info) = peer.peer_info() else {
        return String::new();
    };
    let who = info.server_info.as_ref();
    let who = who.map(|who| format!("{} {}, ", who.name, who.version));
    let text = format!("{}MCP {}", who.unwrap_or_default(), info.protocol_version);
    line(&text, 120)
}
