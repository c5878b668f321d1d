//! A command that runs as another user: ids, groups and the variables that say who one is.

use std::ffi::{CString, OsStr};

use nix::unistd::{Uid, User, getgrouplist};

use super::{Command, LaunchError, own, sys::Identity};

impl Command {
    /// The same command as another user, by name or number.
    ///
    /// # Errors
    /// Where there is no such user. Whether this process may become one shows when the command is started.
    pub fn as_user(self, name: &str) -> Result<Self, LaunchError> {
        let user = find(name)?;
        let variables = [
            ("HOME", user.dir.as_os_str()),
            ("SHELL", user.shell.as_os_str()),
            ("USER", OsStr::new(&user.name)),
            ("LOGNAME", OsStr::new(&user.name)),
        ];
        let mut command = self;
        for (variable, value) in variables {
            command = command.with_variable(variable, Some(value))?;
        }
        command.with_identity(&user)
    }

    /// The same, with the environment as it is: what strace's `-u` does.
    ///
    /// # Errors
    /// As there.
    pub fn as_user_only(self, name: &str) -> Result<Self, LaunchError> {
        self.with_identity(&find(name)?)
    }

    fn with_identity(self, user: &User) -> Result<Self, LaunchError> {
        let what = || format!("find the groups of user {}", user.name.escape_debug());
        let login = CString::new(user.name.as_str()).map_err(|error| own(what(), error.into()))?;
        let groups = getgrouplist(&login, user.gid).map_err(|error| own(what(), error.into()))?;
        let groups = groups.into_iter().map(nix::unistd::Gid::as_raw).collect();
        let identity = Identity { user: user.uid.as_raw(), group: user.gid.as_raw(), groups };
        Ok(Self { user: Some(identity), ..self })
    }
}

/// The user of this name or number.
fn find(name: &str) -> Result<User, LaunchError> {
    let what = || format!("find the user {}", name.escape_debug());
    let found = match name.parse() {
        Ok(number) => User::from_uid(Uid::from_raw(number)),
        Err(_) => User::from_name(name),
    };
    let found = found.map_err(|error| own(what(), error.into()))?;
    found.ok_or_else(|| own(what(), std::io::Error::other("there is none; see getent passwd")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_are_found_by_name_and_number() {
        let command = Command::resolve(["true"]).unwrap();
        let by_name = command.clone().as_user("root").unwrap();
        assert_eq!(by_name, command.clone().as_user("0").unwrap());
        assert_eq!(by_name.user.as_ref().map(|user| (user.user, user.group)), Some((0, 0)));
        let error = command.as_user("no-such-user").unwrap_err();
        assert_eq!(
            (error.exit_code(), error.to_string().contains("no-such-user: there is none")),
            (125, true)
        );
    }
}
