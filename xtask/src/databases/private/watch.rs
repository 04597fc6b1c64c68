use std::{
    io::{self, Write},
    path::Path,
    process::{Child, Command, Stdio},
};

/// Ends a server when the keeper has gone without doing so, as when somebody kills every process of that name.
#[derive(Debug)]
pub(super) struct Watch {
    shell: Child,
}

/// The input is the keeper's. A line means that the server has ended, the end of the input that the keeper has.
const SCRIPT: &str = r#"
trap '' HUP INT TERM
read line && exit
kill -s "$1" "$2"
sleep 1
rm -rf "$3"
"#;

impl Watch {
    /// Until this is dropped, the keeper's end is that of the process, and of the folder with all servers.
    pub(super) fn new(process: u32, signal: &str, folder: &Path) -> io::Result<Self> {
        let mut command = Command::new("sh");
        command.args(["-c", SCRIPT, "sh", signal, &process.to_string()]).arg(folder);
        let silent = command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        Ok(Self { shell: silent.spawn()? })
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        // It ends without being told only if someone has killed it.
        let _ = self.shell.stdin.take().map(|mut input| input.write_all(b"ended\n"));
        let _ = self.shell.wait();
    }
}
