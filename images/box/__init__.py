"""The Vagrant box for the lxc provider: a Debian machine with the node bundle already installed."""
