//! Temporary files, and an error that says where one could not be made.

use std::fs::File;
use std::io;

/// An empty file without a name in the directory for temporary files.
pub fn file() -> io::Result<File> {
    tempfile::tempfile().map_err(|error| {
        let directory = std::env::temp_dir();
        let text = format!(
            "a temporary file cannot be made in {}: {error} (TMPDIR=DIR chooses another place)",
            directory.display()
        );
        io::Error::new(error.kind(), text)
    })
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Seek, Write};

    #[test]
    fn a_file_that_is_written_and_read() {
        let mut file = super::file().unwrap();
        file.write_all(b"x").unwrap();
        file.rewind().unwrap();
        let mut text = String::new();
        file.read_to_string(&mut text).unwrap();
        assert_eq!(text, "x");
    }
}
