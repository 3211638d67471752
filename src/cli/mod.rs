//! The `kubectl govcloud` plugin.
