# Completion of bouton for fish: commands, options, keys of recipes and their values, names of runs.
#     bouton completions fish > ~/.config/fish/completions/bouton.fish
function __bouton
    set -l words (commandline -opc) (commandline -ct)
    set -l offers ($words[1] complete -- $words 2> /dev/null)
    if test (count $offers) -gt 0
        printf '%s\n' $offers
    else
        __fish_complete_path (commandline -ct)
    end
end
complete -c bouton -f -a '(__bouton)'
