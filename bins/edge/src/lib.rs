//! The edge: what browsers and programs talk to.
//!
//! It signs people in, checks where requests come from, and hands every session to `duplex-live`. It holds no rules
//! about sessions and no state that another edge would need.

mod accounts;
mod app;
mod assets;
mod body;
mod commands;
mod config;
mod costs;
mod events;
mod failure;
mod feed;
mod headers;
mod health;
mod kept;
mod models;
mod openapi;
mod origin;
mod recording;
mod router;
mod serve;
mod sessions;
mod setup_link;
mod signed_in;
mod team;
mod terminals;
mod views;
mod workspaces;

pub use config::{Config, ConfigError};
pub use openapi::document;
pub use origin::{Origin, OriginError};
pub use serve::{Edge, StartError};
