using System.CommandLine;
using Cairn.Cli.CommandLine;

namespace Cairn.Cli.Completion;

internal sealed class CompletionCommand : CairnCommand
{
    private readonly Argument<string> _shell = new("SHELL") { Description = "bash, zsh or fish." };

    public CompletionCommand() : base("completion", "Print the completion script of a shell.", "source <(cairn completion bash)")
    {
        _shell.AcceptOnlyFromAmong("bash", "zsh", "fish");
        Arguments.Add(_shell);
    }

    // Each script hands the line to `cairn [suggest:POSITION] LINE`, so that completion never differs from what the parser knows.
    protected override async Task<int> RunAsync(CommandContext context, CancellationToken cancellationToken)
    {
        await Console.Out.WriteAsync(context.Get(_shell) switch
        {
            "bash" =>
                """
                _cairn_complete() {
                  local words
                  words=$(cairn "[suggest:${COMP_POINT}]" "${COMP_LINE}" 2>/dev/null)
                  mapfile -t COMPREPLY < <(compgen -W "${words}" -- "${COMP_WORDS[COMP_CWORD]}")
                  [ ${#COMPREPLY[@]} -gt 0 ] || mapfile -t COMPREPLY < <(compgen -f -- "${COMP_WORDS[COMP_CWORD]}")
                }
                complete -o filenames -F _cairn_complete cairn

                """,
            "zsh" =>
                """
                #compdef cairn
                _cairn() {
                  local -a words
                  words=("${(@f)$(cairn "[suggest:$CURSOR]" "$BUFFER" 2>/dev/null)}")
                  compadd -a words || _files
                }
                compdef _cairn cairn

                """,
            _ =>
                """
                complete -c cairn -a '(cairn "[suggest:"(commandline -C)"]" (commandline -p) 2>/dev/null)'

                """,
        });
        return ExitCodes.Success;
    }
}
