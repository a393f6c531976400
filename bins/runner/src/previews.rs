//! The tools' words in the domain's.

use crate::files::shown;
use duplex_domain::{Changes, FileChange, FileStatus, PlanItem, PlanStatus, Preview, ToolKind};
use duplex_workspace::checkpoint::{self, Status};
use duplex_workspace::tools;

/// What a tool does to the world.
#[must_use]
pub fn kind(kind: tools::Kind) -> ToolKind {
    match kind {
        tools::Kind::Read => ToolKind::Read,
        tools::Kind::Edit => ToolKind::Edit,
        tools::Kind::Run => ToolKind::Run,
        tools::Kind::Network => ToolKind::Network,
        tools::Kind::Plan => ToolKind::Plan,
    }
}

/// What would happen; none for a call that cannot be carried out as it is.
#[must_use]
pub fn preview(preview: tools::Preview) -> Option<Preview> {
    Some(match preview {
        tools::Preview::Run { argv, cwd } => Preview::Run { argv, cwd },
        tools::Preview::Edit { path, diff } => Preview::Edit { path, diff },
        tools::Preview::Plan { text } => Preview::Plan { text },
        tools::Preview::Other { summary } => Preview::Other { summary },
        tools::Preview::Refused { .. } => return None,
    })
}

/// The agent's plan.
#[must_use]
pub fn plan(items: &[tools::PlanItem]) -> Vec<PlanItem> {
    let item = |item: &tools::PlanItem| PlanItem {
        text: item.text.clone(),
        status: match item.status {
            tools::PlanStatus::Pending => PlanStatus::Pending,
            tools::PlanStatus::InProgress => PlanStatus::InProgress,
            tools::PlanStatus::Completed => PlanStatus::Completed,
        },
    };
    items.iter().map(item).collect()
}

/// What changed.
#[must_use]
pub fn changes(changes: checkpoint::Changes) -> Changes {
    let file = |file: checkpoint::FileChange| FileChange {
        path: shown(&file.path),
        old_path: file.old_path.as_deref().map(shown),
        status: match file.status {
            Status::Added => FileStatus::Added,
            Status::Modified => FileStatus::Modified,
            Status::Deleted => FileStatus::Deleted,
            Status::Renamed => FileStatus::Renamed,
            Status::Typechange => FileStatus::TypeChanged,
        },
        added: file.added,
        removed: file.removed,
        binary: file.binary,
    };
    Changes {
        files: changes.files.into_iter().map(file).collect(),
        diff: changes.diff,
    }
}
