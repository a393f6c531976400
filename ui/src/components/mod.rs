//! The parts that pages are made of.

pub mod asking;
pub mod changes;
pub mod composer;
pub mod confirm;
pub mod dialog;
pub mod field;
pub mod icon;
pub mod menu;
pub mod mode;
pub mod money;
pub mod people;
pub mod plan;
pub mod rules;
pub mod secret;
pub mod shell;
pub mod split;
pub mod state_dot;
pub mod terminals;
pub mod toast;
pub mod top_bar;
pub mod transcript;
