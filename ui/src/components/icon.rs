//! Small line drawings (paths from Lucide, ISC licence).

use dioxus::prelude::*;

/// A drawing, 16 pixels wide, in the colour of the text.
pub fn icon(name: &str) -> Element {
    let path = match name {
        "chevron" => "m9 18 6-6-6-6",
        "back" => "m12 19-7-7 7-7 M19 12H5",
        "check" => "M20 6 9 17l-5-5",
        "x" => "M18 6 6 18 M6 6l12 12",
        "stop" => "M6 6h12v12H6z",
        "down" => "M12 5v14 m7-7-7 7-7-7",
        "plus" => "M5 12h14 M12 5v14",
        "search" => "m21 21-4.3-4.3 M19 11a8 8 0 1 1-16 0 8 8 0 0 1 16 0z",
        "copy" => "M8 8h12v12H8z M16 8V4H4v12h4",
        "send" => "M12 19V5 m-7 7 7-7 7 7",
        "terminal" => "m4 17 6-6-6-6 M12 19h8",
        "sun" => {
            "M12 3v1 M12 20v1 M3 12h1 M20 12h1 m-2.6-6.4-.7.7 M6.3 17.7l-.7.7 m0-12.8.7.7 m11.4 11.4.7.7 M16 12a4 4 0 1 1-8 0 4 4 0 0 1 8 0z"
        }
        "person" => "M16 8a4 4 0 1 1-8 0 4 4 0 0 1 8 0z M4 21a8 8 0 0 1 16 0",
        "pen" => "M17 3a2.8 2.8 0 1 1 4 4L7.5 20.5 2 22l1.5-5.5z",
        "fold-left" => "M3 3h18v18H3z M9 3v18 m7-6-3-3 3-3",
        "fold-right" => "M3 3h18v18H3z M15 3v18 m-7-12 3 3-3 3",
        "alert" => "M12 8v5 M12 16.5v.5 M22 12a10 10 0 1 1-20 0 10 10 0 0 1 20 0z",
        "clock" => "M12 6v6l4 2 M22 12a10 10 0 1 1-20 0 10 10 0 0 1 20 0z",
        "lock" => "M5 11h14v10H5z M8 11V7a4 4 0 0 1 8 0v4",
        "more" => {
            "M11.5 5a.5.5 0 1 0 1 0 .5.5 0 1 0-1 0 M11.5 12a.5.5 0 1 0 1 0 .5.5 0 1 0-1 0 M11.5 19a.5.5 0 1 0 1 0 .5.5 0 1 0-1 0"
        }
        "download" => "M12 4v12 m-5-5 5 5 5-5 M4 20h16",
        "again" => "M4 4v6h6 M4.5 15a8 8 0 1 0 1.5-8L4 10",
        "eye" => "M2 12s4-7 10-7 10 7 10 7-4 7-10 7S2 12 2 12z M15 12a3 3 0 1 1-6 0 3 3 0 0 1 6 0z",
        "keyboard" => "M2 6h20v12H2z M6 10h.01 M10 10h.01 M14 10h.01 M18 10h.01 M7 14h10",
        "people" => {
            "M16 21v-2a4 4 0 0 0-4-4H6a4 4 0 0 0-4 4v2 M13 7a4 4 0 1 1-8 0 4 4 0 0 1 8 0z M22 21v-2a4 4 0 0 0-3-3.9 M16 3.1a4 4 0 0 1 0 7.8"
        }
        "link" => {
            "M10 13a5 5 0 0 0 7.5.5l3-3a5 5 0 0 0-7-7l-1.8 1.7 M14 11a5 5 0 0 0-7.5-.5l-3 3a5 5 0 0 0 7 7l1.7-1.7"
        }
        _ => "",
    };
    rsx! {
        svg {
            class: "icon",
            width: "16",
            height: "16",
            view_box: "0 0 24 24",
            fill: "none",
            stroke: "currentColor",
            stroke_width: "2",
            stroke_linecap: "round",
            stroke_linejoin: "round",
            "aria-hidden": "true",
            path { d: path }
        }
    }
}
