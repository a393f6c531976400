//! The todo tool, which keeps the agent's list, and `exit_plan`, by which it asks to go on.

use serde::{Deserialize, Serialize};

use super::{Fault, Outcome, said};
use crate::clip::MAX_BYTES;

/// The longest list.
const MOST_ITEMS: usize = 100;
/// Characters of the longest item.
const LONGEST_ITEM: usize = 500;

/// Something that is to be done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlanItem {
    /// What, in a line.
    pub text: String,
    /// How far it is.
    pub status: PlanStatus,
}

/// How far something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PlanStatus {
    /// Not begun.
    Pending,
    /// Being done.
    InProgress,
    /// Done.
    Completed,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Todo {
    items: Vec<PlanItem>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ExitPlan {
    pub plan: String,
}

pub(super) fn todo(input: Todo) -> Result<Outcome, Fault> {
    let items = input.items;
    if items.len() > MOST_ITEMS {
        return said(format!(
            "the list is longer than {MOST_ITEMS} items: join some of them"
        ));
    }
    for (index, item) in items.iter().enumerate() {
        let number = index + 1;
        if item.text.trim().is_empty() {
            return said(format!("item {number} has no text: say what is to be done"));
        }
        if item.text.chars().count() > LONGEST_ITEM || item.text.chars().any(char::is_control) {
            return said(format!(
                "item {number} is not one line of at most {LONGEST_ITEM} characters: make it shorter"
            ));
        }
    }
    let count = |status| items.iter().filter(|item| item.status == status).count();
    let content = format!(
        "the list has {} items: {} completed, {} in progress, {} pending",
        items.len(),
        count(PlanStatus::Completed),
        count(PlanStatus::InProgress),
        count(PlanStatus::Pending)
    );
    Ok(Outcome {
        plan: Some(items),
        ..Outcome::done(content)
    })
}

/// Whoever runs the call has approved the plan.
pub(super) fn exit(input: &ExitPlan) -> Result<Outcome, Fault> {
    checked(input)?;
    Ok(Outcome::done("the plan is approved: go on"))
}

pub(super) fn checked(input: &ExitPlan) -> Result<(), Fault> {
    if input.plan.trim().is_empty() {
        return said("the plan is empty: say in Markdown what you would do");
    }
    if input.plan.len() > MAX_BYTES {
        return said(format!(
            "the plan is longer than {MAX_BYTES} bytes: make it shorter"
        ));
    }
    Ok(())
}
