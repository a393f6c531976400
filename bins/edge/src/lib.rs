//! The edge: what browsers and programs talk to.
//!
//! It signs people in, checks where requests come from, and hands every session to `duplex-live`. It holds no rules
//! about sessions and no state that another edge would need.

mod accounts;
mod app;
mod assets;
mod audit;
mod body;
mod browser;
mod catch_up;
mod client;
mod commands;
mod config;
mod costs;
mod crowd;
mod events;
mod failure;
mod feed;
mod guard;
mod headers;
mod health;
mod join;
mod kept;
mod limits;
mod listen;
mod models;
mod network;
mod openapi;
mod origin;
mod own;
mod past;
mod people;
mod recording;
mod rights;
mod router;
mod serve;
mod sessions;
mod setup_link;
mod share;
mod signed_in;
mod team;
mod terminals;
mod tls;
mod tries;
mod views;
mod workspaces;

pub use config::{Config, ConfigError, Limited};
pub use network::{Network, NetworkError};
pub use openapi::document;
pub use origin::{Origin, OriginError};
pub use serve::{Edge, StartError};
pub use tls::{TlsError, TlsFiles};
