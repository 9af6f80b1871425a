# Completion of bouton for bash: commands, options, keys of recipes and their values, names of runs.
#     source <(bouton completions bash)
_bouton() {
    local line="${COMP_LINE:0:COMP_POINT}" before
    local -a words
    # bash cuts words at `=`; bouton does not.
    read -ra words <<< "$line"
    [[ $line == *[[:space:]] ]] && words+=("")
    mapfile -t COMPREPLY < <("${words[0]/#\~/$HOME}" complete -- "${words[@]}" 2> /dev/null | cut -f 1)
    # What bash takes for the word begins behind the last `=` or `:`.
    before="${words[-1]}"
    before="${before%"${before##*[=:]}"}"
    [[ -n $before ]] && COMPREPLY=("${COMPREPLY[@]#"$before"}")
    [[ ${#COMPREPLY[@]} -gt 0 && ${COMPREPLY[0]} == *= ]] && compopt -o nospace 2> /dev/null
    return 0
}
complete -o nosort -o bashdefault -o default -F _bouton bouton 2> /dev/null ||
    complete -o bashdefault -o default -F _bouton bouton
