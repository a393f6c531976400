# Tells the terminal where prompts, commands and their output begin and end (OSC 133), what the command line is
# (OSC 633;E) and in which folder the shell is (OSC 7). The prompt and PROMPT_COMMAND stay what they were.
if [[ $- == *i* && -z ${__duplex_loaded-} ]]; then
    __duplex_loaded=1
    __duplex_ran=0
    __duplex_number=0

    # Runs first: it must see the exit code, and pass it on.
    __duplex_before() {
        local code=$? number='\!'
        if ((__duplex_ran)); then builtin printf '\e]133;D;%s\a' "$code"; fi
        __duplex_ran=0
        __duplex_number=${number@P}
        # Only at the first prompt can the history be empty, and then the number is 1 all the same.
        if [[ -z ${__duplex_begun-} && -z $(builtin history 1) ]]; then __duplex_number=0; fi
        __duplex_begun=1
        local folder=${PWD//%/%25}
        builtin printf '\e]7;file://%s%s\a' "${HOSTNAME-}" "${folder// /%20}"
        return "$code"
    }

    # Runs last: whoever sets the prompt anew has done so.
    __duplex_after() {
        local code=$?
        if [[ $PS1 != *'133;A'* ]]; then
            PS1='\[\e]133;A\a\]'$PS1'\[\e]133;B\a\]'
        fi
        return "$code"
    }

    # The line just typed, if the history took it: before a prompt, \! is the number of the newest line in it.
    __duplex_line() {
        local HISTTIMEFORMAT='' line
        line=$(builtin history 1)
        if [[ $line =~ ^\ *([0-9]+)\*?\ {1,2}(.*)$ && ${BASH_REMATCH[1]} != "$__duplex_number" ]]; then
            line=${BASH_REMATCH[2]:0:4096}
            line=${line//\\/\\\\}
            line=${line//$'\n'/\\x0a}
            line=${line//;/\\x3b}
            line=${line//[[:cntrl:]]/}
            builtin printf '\e]633;E;%s\a' "$line"
        fi
    }

    PROMPT_COMMAND=(__duplex_before "${PROMPT_COMMAND[@]}" __duplex_after)
    # The index is arithmetic, so reading what is not there notes that a command runs.
    PS0='${__duplex_none[(__duplex_ran=1)]-}$(__duplex_line)\e]133;C\a'${PS0-}
fi
