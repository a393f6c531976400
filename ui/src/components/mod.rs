//! The parts that pages are made of.

pub mod asking;
pub mod changes;
pub mod composer;
pub mod confirm;
pub mod dialog;
pub mod icon;
pub mod menu;
pub mod mode;
pub mod money;
pub mod plan;
pub mod rules;
pub mod shell;
pub mod split;
pub mod state_dot;
pub mod terminals;
pub mod toast;
pub mod transcript;
