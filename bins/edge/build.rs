//! Makes the folder of the built page, so that the edge builds before the page does.

fn main() -> std::io::Result<()> {
    println!("cargo::rerun-if-changed=build.rs");
    std::fs::create_dir_all("../../ui/web/dist")
}
