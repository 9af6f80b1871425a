#compdef bouton
# Completion of bouton for zsh: commands, options, keys of recipes and their values, names of runs.
#     bouton completions zsh > "${fpath[1]}/_bouton"
_bouton() {
    local line
    local -a plain plain_told open open_told
    for line in "${(@f)$(${words[1]} complete -- "${(@)words[1,CURRENT]}" 2> /dev/null)}"; do
        [[ -z $line ]] && continue
        # Behind `=` a value follows at once.
        if [[ ${line%%$'\t'*} == *= ]]; then
            open+=("${line%%$'\t'*}"); open_told+=("${line/$'\t'/  }")
        else
            plain+=("${line%%$'\t'*}"); plain_told+=("${line/$'\t'/  }")
        fi
    done
    (( ${#plain} + ${#open} )) || { _files; return }
    # `-U`: a key may be asked for by its end.
    (( ${#plain} )) && compadd -U -l -d plain_told -a plain
    (( ${#open} )) && compadd -U -l -S '' -d open_told -a open
    return 0
}
if [[ $zsh_eval_context[-1] == loadautofunc ]]; then _bouton "$@"; else compdef _bouton bouton; fi
