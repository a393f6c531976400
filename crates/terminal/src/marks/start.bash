unset DUPLEX_SHELL
# What a login shell reads, in its order.
if [[ -r /etc/profile ]]; then . /etc/profile; fi
for __duplex_file in ~/.bash_profile ~/.bash_login ~/.profile; do
    if [[ -r $__duplex_file ]]; then . "$__duplex_file"; break; fi
done
unset __duplex_file
